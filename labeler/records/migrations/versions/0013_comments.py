"""threads: comments on disputed images, and notices for one person"""

import sqlalchemy as sa
from alembic import op

revision = '0013'
down_revision = '0012'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'comments',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('attribute_id', sa.Integer(), nullable=False),
        sa.Column('asset_pk', sa.Integer(), nullable=False),
        sa.Column('user_id', sa.Integer(), nullable=False),
        sa.Column('text', sa.Text(), nullable=False),
        sa.Column('revision', sa.Integer(), nullable=True),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['asset_pk'], ['assets.id'], name=op.f('fk_comments_asset_pk_assets')),
        sa.ForeignKeyConstraint(['attribute_id'], ['attributes.id'], name=op.f('fk_comments_attribute_id_attributes')),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_comments_user_id_users')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_comments')),
    )
    op.create_index('ix_comments_attribute_id_asset_pk', 'comments', ['attribute_id', 'asset_pk'])
    # No foreign key: SQLite adds none to a table that is there.
    op.add_column('notices', sa.Column('user_id', sa.Integer(), nullable=True))
    op.create_index(op.f('ix_notices_user_id'), 'notices', ['user_id'])


def downgrade() -> None:
    # A notice of one person without its column would be everybody's who manages.
    op.execute('DELETE FROM notice_reads WHERE notice_id IN (SELECT id FROM notices WHERE user_id IS NOT NULL)')
    op.execute('DELETE FROM notices WHERE user_id IS NOT NULL')
    op.drop_index(op.f('ix_notices_user_id'), 'notices')
    op.drop_column('notices', 'user_id')
    op.drop_index('ix_comments_attribute_id_asset_pk', 'comments')
    op.drop_table('comments')
