"""look alikes: what was decided about images that are nearly the same"""

import sqlalchemy as sa
from alembic import op

revision = '0024'
down_revision = '0023'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'look_alikes',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=255), nullable=False),
        sa.Column('asset_pks', sa.JSON(), nullable=False),
        sa.Column('title', sa.String(length=255), nullable=False),
        sa.Column('titles_before', sa.JSON(), nullable=False),
        sa.Column('decided_by', sa.String(length=255), nullable=False),
        sa.Column('decided_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_look_alikes')),
    )


def downgrade() -> None:
    op.drop_table('look_alikes')
