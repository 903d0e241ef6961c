"""how many answers a project holds beyond the records, so that one which no time tells of shows in their number"""

import sqlalchemy as sa
from alembic import op

revision = '0030'
down_revision = '0029'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ('queues', 'grids'):
        op.add_column(table, sa.Column('answer_surplus', sa.Integer(), nullable=False, server_default='0'))


def downgrade() -> None:
    for table in ('queues', 'grids'):
        with op.batch_alter_table(table) as batch:
            batch.drop_column('answer_surplus')
