"""imported_features: what a feature means, in a sentence of the person who brought it"""

import sqlalchemy as sa
from alembic import op

revision = '0034'
down_revision = '0033'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column('imported_features', sa.Column('means', sa.Text(), nullable=False, server_default=''))


def downgrade() -> None:
    op.drop_column('imported_features', 'means')
