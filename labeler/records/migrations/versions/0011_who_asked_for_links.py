"""a login link names who asked for it, as whoever holds it comes in as someone else"""

import sqlalchemy as sa
from alembic import op

revision = '0011'
down_revision = '0010'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With a default of the database, so that a release of before, still at work, can go on writing.
    op.add_column('sign_in_links', sa.Column('made_by', sa.String(), server_default='', nullable=False))


def downgrade() -> None:
    op.drop_column('sign_in_links', 'made_by')
