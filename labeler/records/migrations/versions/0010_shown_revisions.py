"""a queue keeps which revision of the question its page showed since when, as answers belong to what was on the screen"""

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = '0009'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Empty for the queues that are there: until the next revision they show the one of today (`shown_revision.begin`).
    # With a default of the database, so that a release of before, still at work, can go on writing.
    op.add_column('queues', sa.Column('shown', sa.JSON(), server_default=sa.text("'[]'"), nullable=False))


def downgrade() -> None:
    op.drop_column('queues', 'shown')
