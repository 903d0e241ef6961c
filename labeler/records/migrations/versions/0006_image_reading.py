"""the version of the reading that each image was last read with

Assets of before have version 1; a newer reading looks at each of them once.
"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The default stays: whoever writes a row without a version knows none of ours. Dropping it would copy the table.
    op.add_column('assets', sa.Column('reading', sa.Integer(), nullable=False, server_default='1'))
    op.add_column('assets', sa.Column('moved_at', sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f('ix_assets_reading'), 'assets', ['reading'])


def downgrade() -> None:
    with op.batch_alter_table('assets') as table:
        table.drop_index(op.f('ix_assets_reading'))
        table.drop_column('moved_at')
        table.drop_column('reading')
