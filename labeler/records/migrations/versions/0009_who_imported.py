"""events of answers name who imported them, as the answers stand under the experts' own names"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = '0008'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With a default of the database, so that a release of before, still at work, can go on writing.
    op.add_column('annotation_events', sa.Column('who', sa.String(), server_default='', nullable=False))


def downgrade() -> None:
    op.drop_column('annotation_events', 'who')
