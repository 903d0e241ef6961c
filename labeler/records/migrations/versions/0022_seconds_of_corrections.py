"""an answer keeps the seconds of its corrections beside those of the first look"""

import sqlalchemy as sa
from alembic import op

revision = '0022'
down_revision = '0021'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a value: what was corrected before keeps what it has, as nobody knows the first look any more.
    op.add_column('annotations', sa.Column('total_seconds', sa.Double(), nullable=True))


def downgrade() -> None:
    # An older release reads the seconds of all looks together, as Label Studio adds them up.
    op.execute('UPDATE annotations SET lead_seconds = total_seconds WHERE total_seconds IS NOT NULL')
    op.drop_column('annotations', 'total_seconds')
