"""a run keeps how many answers are on images of the own choice, and experts have a list of label errors of their own"""

import sqlalchemy as sa
from alembic import op

revision = '0017'
down_revision = '0016'
branch_labels = None
depends_on = None

# Of the runs before, as near as the records still tell: what was chosen until then and answered at once, or put into the
# own queue and answered there. Without either the next run would seem to have fewer answers to what was asked, and
# experts would read no newer figure until so many more are given.
BEFORE = """
UPDATE runs SET chosen = (
    SELECT COUNT(*) FROM annotations
    JOIN grid_answers ON grid_answers.annotation_id = annotations.id
    JOIN grid_pages ON grid_pages.id = grid_answers.page_id
    WHERE annotations.attribute_id = runs.attribute_id AND annotations.deleted_at IS NULL
    AND annotations.answered_at <= runs.started_at AND grid_pages.key LIKE '____________5%'
) + (
    SELECT COUNT(*) FROM picks
    JOIN experts ON experts.id = picks.expert_id AND experts.email = picks.who
    JOIN annotations ON annotations.attribute_id = picks.attribute_id AND annotations.asset_pk = picks.asset_pk
        AND annotations.expert_id = picks.expert_id
    WHERE picks.attribute_id = runs.attribute_id AND annotations.deleted_at IS NULL
    AND annotations.value <> 'skip' AND annotations.answered_at <= runs.started_at
)
"""


def upgrade() -> None:
    # With a default of the database, so that a release of before, still at work, can go on writing.
    op.add_column('runs', sa.Column('chosen', sa.Integer(), server_default='0', nullable=False))
    op.execute(BEFORE)
    op.create_table(
        'told_label_errors',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('attribute_id', sa.Integer(), nullable=False),
        sa.Column('annotation_id', sa.Integer(), nullable=False),
        sa.Column('run', sa.Integer(), nullable=False),
        sa.Column('place', sa.Integer(), nullable=False),
        sa.Column('given', sa.String(length=255), nullable=False),
        sa.Column('expected', sa.String(length=255), nullable=False),
        sa.Column('probe', sa.Double(), nullable=False),
        sa.Column('right', sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ['annotation_id'], ['annotations.id'], name=op.f('fk_told_label_errors_annotation_id_annotations')
        ),
        sa.ForeignKeyConstraint(
            ['attribute_id'], ['attributes.id'], name=op.f('fk_told_label_errors_attribute_id_attributes')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_told_label_errors')),
        sa.UniqueConstraint(
            'attribute_id', 'annotation_id', name=op.f('uq_told_label_errors_attribute_id_annotation_id')
        ),
    )


def downgrade() -> None:
    op.drop_table('told_label_errors')
    op.drop_column('runs', 'chosen')
