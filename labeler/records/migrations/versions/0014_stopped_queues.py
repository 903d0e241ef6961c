"""queues that an owner stopped, and which notices come by mail"""

import sqlalchemy as sa
from alembic import op

revision = '0014'
down_revision = '0013'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('queues', sa.Column('stopped_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('queues', sa.Column('stopped_by', sa.String(length=255), server_default='', nullable=False))
    op.add_column('users', sa.Column('no_mail', sa.JSON(), server_default='[]', nullable=False))


def downgrade() -> None:
    op.drop_column('users', 'no_mail')
    # An older release would ask in a stopped queue again: it is closed there.
    op.execute('UPDATE queues SET closed_at = stopped_at WHERE stopped_at IS NOT NULL AND closed_at IS NULL')
    op.drop_column('queues', 'stopped_by')
    op.drop_column('queues', 'stopped_at')
