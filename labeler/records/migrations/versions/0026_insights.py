"""insights: imported features, frozen questions, runs, insights with versions and their history"""

import sqlalchemy as sa
from alembic import op

revision = '0026'
down_revision = '0024'
branch_labels = None
depends_on = None

WIDE = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        'imported_features',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=255), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('classes', sa.JSON(), nullable=False),
        sa.Column('rows', WIDE, nullable=False),
        sa.Column('faults', sa.JSON(), nullable=False),
        sa.Column('file', sa.String(length=64), nullable=False),
        sa.Column('source', sa.Text(), nullable=False),
        sa.Column('added_by', sa.String(length=255), nullable=False),
        sa.Column('added_at', TIME, nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_imported_features')),
        sa.UniqueConstraint('name', 'version', name=op.f('uq_imported_features_name_version')),
    )
    op.create_table(
        'insight_questions',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('feature', sa.String(length=255), nullable=False),
        sa.Column('contrast', sa.Text(), nullable=False),
        sa.Column('canvas', sa.Text(), nullable=False),
        sa.Column('kind', sa.String(length=16), nullable=False),
        sa.Column('values', sa.String(length=64), nullable=False),
        sa.Column('seen', sa.Boolean(), nullable=False),
        sa.Column('titles', sa.String(length=16), nullable=False),
        sa.Column('origin', sa.String(length=16), nullable=False),
        sa.Column('asked_by', sa.String(length=255), nullable=False),
        sa.Column('asked_at', TIME, nullable=False),
        sa.Column('digest', sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_insight_questions')),
    )
    op.create_index(op.f('ix_insight_questions_digest'), 'insight_questions', ['digest'])
    op.create_table(
        'insight_runs',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('q', sa.Double(), nullable=False),
        sa.Column('seed', sa.Integer(), nullable=False),
        sa.Column('inputs', sa.JSON(), nullable=False),
        sa.Column('looked', sa.JSON(), nullable=False),
        sa.Column('values', sa.JSON(), nullable=False),
        sa.Column('found', sa.JSON(), nullable=False),
        sa.Column('started_by', sa.String(length=255), nullable=False),
        sa.Column('started_at', TIME, nullable=False),
        sa.Column('finished_at', TIME, nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_insight_runs')),
    )
    op.create_table(
        'insights',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('question_id', sa.Integer(), nullable=False),
        sa.Column('state', sa.String(length=16), nullable=False),
        sa.Column('published', sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ['question_id'], ['insight_questions.id'], name=op.f('fk_insights_question_id_insight_questions')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_insights')),
        sa.UniqueConstraint('question_id', name=op.f('uq_insights_question_id')),
    )
    _versions()


def _versions() -> None:
    op.create_table(
        'insight_versions',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('insight_id', sa.Integer(), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('run_id', sa.Integer(), nullable=False),
        sa.Column('grade', sa.String(length=1), nullable=False),
        sa.Column('figures', sa.JSON(), nullable=False),
        sa.Column('inputs', sa.JSON(), nullable=False),
        sa.Column('digest', sa.String(length=64), nullable=False),
        sa.Column('made_at', TIME, nullable=False),
        sa.ForeignKeyConstraint(['insight_id'], ['insights.id'], name=op.f('fk_insight_versions_insight_id_insights')),
        sa.ForeignKeyConstraint(['run_id'], ['insight_runs.id'], name=op.f('fk_insight_versions_run_id_insight_runs')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_insight_versions')),
        sa.UniqueConstraint('insight_id', 'version', name=op.f('uq_insight_versions_insight_id_version')),
    )
    op.create_table(
        'insight_events',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('insight_id', sa.Integer(), nullable=False),
        sa.Column('at', TIME, nullable=False),
        sa.Column('who', sa.String(length=255), nullable=False),
        sa.Column('action', sa.String(length=16), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(['insight_id'], ['insights.id'], name=op.f('fk_insight_events_insight_id_insights')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_insight_events')),
    )
    op.create_index(op.f('ix_insight_events_insight_id'), 'insight_events', ['insight_id'])


def downgrade() -> None:
    op.drop_index(op.f('ix_insight_events_insight_id'), 'insight_events')
    op.drop_table('insight_events')
    op.drop_table('insight_versions')
    op.drop_table('insights')
    op.drop_table('insight_runs')
    op.drop_index(op.f('ix_insight_questions_digest'), 'insight_questions')
    op.drop_table('insight_questions')
    op.drop_table('imported_features')
