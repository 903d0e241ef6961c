"""scope decisions: what people said of groups of images at the edge of a question"""

import sqlalchemy as sa
from alembic import op

revision = '0023'
down_revision = '0022'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'scope_decisions',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('attribute_id', sa.Integer(), nullable=False),
        sa.Column('once', sa.String(length=36), nullable=False),
        sa.Column('revision', sa.Integer(), nullable=False),
        sa.Column('who', sa.String(length=255), nullable=False),
        sa.Column('expert_id', sa.Integer(), nullable=True),
        sa.Column('said', sa.String(length=10), nullable=False),
        sa.Column('shown', sa.JSON(), nullable=False),
        sa.Column('ticked', sa.JSON(), nullable=False),
        sa.Column('note', sa.Text(), nullable=False),
        sa.Column('answers', sa.Integer(), nullable=False),
        sa.Column('written', sa.Integer(), nullable=True),
        sa.Column('decided_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('undone_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ['attribute_id'], ['attributes.id'], name=op.f('fk_scope_decisions_attribute_id_attributes')
        ),
        sa.ForeignKeyConstraint(['expert_id'], ['experts.id'], name=op.f('fk_scope_decisions_expert_id_experts')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_scope_decisions')),
        sa.UniqueConstraint('once', name=op.f('uq_scope_decisions_once')),
    )
    op.create_index(op.f('ix_scope_decisions_attribute_id'), 'scope_decisions', ['attribute_id'])


def downgrade() -> None:
    op.drop_index(op.f('ix_scope_decisions_attribute_id'), 'scope_decisions')
    op.drop_table('scope_decisions')
