"""asset_stamps: changes with each change of an asset, so that what is kept of all of them is known to hold"""

import sqlalchemy as sa
from alembic import op

revision = '0037'
down_revision = '0036'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'asset_stamps',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('stamp', sa.String(length=255), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_asset_stamps')),
    )


def downgrade() -> None:
    op.drop_table('asset_stamps')
