"""a run's seed has 32 bits without a sign, which an INTEGER of PostgreSQL refuses: no round was ever kept there"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # An INTEGER of SQLite has 64 bits: nothing changes there, and the table is not copied.
    if op.get_bind().dialect.name != 'sqlite':
        op.alter_column('runs', 'seed', existing_type=sa.Integer(), type_=sa.BigInteger(), existing_nullable=False)


def downgrade() -> None:
    # The wider column stays: an older release reads it as well, and the seeds that are in it fit no narrower one.
    pass
