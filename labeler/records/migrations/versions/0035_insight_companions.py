"""insights: what is asked of a question beside another feature"""

import sqlalchemy as sa
from alembic import op

revision = '0035'
down_revision = '0034'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'insight_companions',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('question_id', sa.Integer(), nullable=False),
        sa.Column('way', sa.String(length=16), nullable=False),
        sa.Column('feature', sa.String(length=255), nullable=False),
        sa.Column('contrast', sa.Text(), nullable=False),
        sa.Column('values', sa.String(length=64), nullable=False),
        sa.Column('seen', sa.Boolean(), nullable=False),
        sa.Column('asked_by', sa.String(length=255), nullable=False),
        sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('digest', sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ['question_id'], ['insight_questions.id'], name=op.f('fk_insight_companions_question_id_insight_questions')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_insight_companions')),
    )
    op.create_index(op.f('ix_insight_companions_question_id'), 'insight_companions', ['question_id'])


def downgrade() -> None:
    op.drop_table('insight_companions')
