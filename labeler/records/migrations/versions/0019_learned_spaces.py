"""learned spaces: versions and their history; histories that were kept"""

import sqlalchemy as sa
from alembic import op

revision = '0019'
down_revision = '0018'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'space_versions',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=255), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('manifest', sa.JSON(), nullable=False),
        sa.Column('digest', sa.String(length=255), nullable=False),
        sa.Column('content', sa.LargeBinary(), nullable=False),
        sa.Column('made_by', sa.String(length=255), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_space_versions')),
        sa.UniqueConstraint('name', 'version', name=op.f('uq_space_versions_name_version')),
    )
    op.create_table(
        'space_promotions',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=255), nullable=False),
        sa.Column('at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('who', sa.String(length=255), nullable=False),
        sa.Column('action', sa.String(length=255), nullable=False),
        sa.Column('alias', sa.String(length=255), nullable=False),
        sa.Column('version', sa.Integer(), nullable=False),
        sa.Column('before', sa.Integer(), nullable=True),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_space_promotions')),
    )
    op.create_index(op.f('ix_space_promotions_name'), 'space_promotions', ['name'])
    op.create_table(
        'watched',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('viewer', sa.String(length=64), nullable=False),
        sa.Column('title_id', sa.String(length=255), nullable=False),
        sa.Column('at', sa.Double(), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_watched')),
        sa.UniqueConstraint('viewer', 'title_id', name=op.f('uq_watched_viewer_title_id')),
    )
    op.create_index(op.f('ix_watched_title_id'), 'watched', ['title_id'])
    op.create_index(op.f('ix_watched_expires_at'), 'watched', ['expires_at'])


def downgrade() -> None:
    op.drop_index(op.f('ix_watched_expires_at'), 'watched')
    op.drop_index(op.f('ix_watched_title_id'), 'watched')
    op.drop_table('watched')
    op.drop_index(op.f('ix_space_promotions_name'), 'space_promotions')
    op.drop_table('space_promotions')
    op.drop_table('space_versions')
