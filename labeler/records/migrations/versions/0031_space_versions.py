"""clusterings and maps: which version of a learned space they were made in"""

import sqlalchemy as sa
from alembic import op

revision = '0031'
down_revision = '0030'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ('clusterings', 'layouts'):
        op.add_column(table, sa.Column('space_version', sa.Integer(), nullable=True))


def downgrade() -> None:
    for table in ('layouts', 'clusterings'):
        op.drop_column(table, 'space_version')
