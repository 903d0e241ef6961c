"""scope groups: kept in the records, and undoing a decision is known until its answers are gone"""

import sqlalchemy as sa
from alembic import op

revision = '0028'
down_revision = '0026'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'scope_groups',
        sa.Column('attribute_id', sa.Integer(), nullable=False),
        sa.Column('run', sa.Integer(), nullable=False),
        sa.Column('revision', sa.Integer(), nullable=False),
        sa.Column('steps', sa.Integer(), nullable=False),
        sa.Column('groups', sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ['attribute_id'], ['attributes.id'], name=op.f('fk_scope_groups_attribute_id_attributes')
        ),
        sa.PrimaryKeyConstraint('attribute_id', name=op.f('pk_scope_groups')),
    )
    op.add_column('scope_decisions', sa.Column('undoing_at', sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    with op.batch_alter_table('scope_decisions') as batch:
        batch.drop_column('undoing_at')
    op.drop_table('scope_groups')
