"""notices, and who has read them"""

import sqlalchemy as sa
from alembic import op

revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'notices',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('key', sa.String(length=255), nullable=False),
        sa.Column('kind', sa.String(length=255), nullable=False),
        sa.Column('attribute_id', sa.Integer(), nullable=True),
        sa.Column('expert_id', sa.Integer(), nullable=True),
        sa.Column('title', sa.String(length=255), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('link', sa.String(length=255), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('due_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('sent', sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(['attribute_id'], ['attributes.id'], name=op.f('fk_notices_attribute_id_attributes')),
        sa.ForeignKeyConstraint(['expert_id'], ['experts.id'], name=op.f('fk_notices_expert_id_experts')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_notices')),
        sa.UniqueConstraint('key', name=op.f('uq_notices_key')),
    )
    op.create_index(op.f('ix_notices_due_at'), 'notices', ['due_at'])
    op.create_index(op.f('ix_notices_expert_id'), 'notices', ['expert_id'])
    op.create_table(
        'notice_reads',
        sa.Column('notice_id', sa.Integer(), nullable=False),
        sa.Column('user_id', sa.Integer(), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['notice_id'], ['notices.id'], name=op.f('fk_notice_reads_notice_id_notices')),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_notice_reads_user_id_users')),
        sa.PrimaryKeyConstraint('notice_id', 'user_id', name=op.f('pk_notice_reads')),
    )


def downgrade() -> None:
    op.drop_table('notice_reads')
    op.drop_index(op.f('ix_notices_expert_id'), 'notices')
    op.drop_index(op.f('ix_notices_due_at'), 'notices')
    op.drop_table('notices')
