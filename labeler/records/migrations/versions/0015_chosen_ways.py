"""a queue keeps how its expert chose to answer: single images, pages of images, or as Attune suggests"""

import sqlalchemy as sa
from alembic import op

revision = '0015'
down_revision = '0014'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With a default of the database, so that a release of before, still at work, can go on writing.
    op.add_column('queues', sa.Column('way', sa.String(), server_default='', nullable=False))


def downgrade() -> None:
    op.drop_column('queues', 'way')
