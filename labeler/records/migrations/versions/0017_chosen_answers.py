"""a run keeps how many of its answers are on images that their experts chose themselves"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

# Of the runs before, as near as the records still tell: what was chosen and answered at once until then.
BEFORE = """
UPDATE runs SET chosen = (
    SELECT COUNT(*) FROM annotations
    JOIN grid_answers ON grid_answers.annotation_id = annotations.id
    JOIN grid_pages ON grid_pages.id = grid_answers.page_id
    WHERE annotations.attribute_id = runs.attribute_id AND annotations.deleted_at IS NULL
    AND annotations.answered_at <= runs.started_at AND grid_pages.key LIKE '____________5%'
)
"""


def upgrade() -> None:
    # With a default of the database, so that a release of before, still at work, can go on writing.
    op.add_column('runs', sa.Column('chosen', sa.Integer(), server_default='0', nullable=False))
    op.execute(BEFORE)


def downgrade() -> None:
    op.drop_column('runs', 'chosen')
