"""suspected label errors, answers that were confirmed, and chosen images that are second opinions"""

import sqlalchemy as sa
from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None


def upgrade() -> None:
    # With a default of the database, so that a release of before, still at work, can go on writing.
    op.add_column('picks', sa.Column('purpose', sa.String(length=255), server_default='seed', nullable=False))
    op.create_table(
        'label_errors',
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
            ['annotation_id'], ['annotations.id'], name=op.f('fk_label_errors_annotation_id_annotations')
        ),
        sa.ForeignKeyConstraint(
            ['attribute_id'], ['attributes.id'], name=op.f('fk_label_errors_attribute_id_attributes')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_label_errors')),
        sa.UniqueConstraint('attribute_id', 'annotation_id', name=op.f('uq_label_errors_attribute_id_annotation_id')),
    )
    op.create_table(
        'confirmed_answers',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('annotation_id', sa.Integer(), nullable=False),
        sa.Column('value', sa.String(length=255), nullable=False),
        sa.Column('who', sa.String(length=255), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ['annotation_id'], ['annotations.id'], name=op.f('fk_confirmed_answers_annotation_id_annotations')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_confirmed_answers')),
        sa.UniqueConstraint('annotation_id', 'value', name=op.f('uq_confirmed_answers_annotation_id_value')),
    )


def downgrade() -> None:
    op.drop_table('confirmed_answers')
    op.drop_table('label_errors')
    op.drop_column('picks', 'purpose')
