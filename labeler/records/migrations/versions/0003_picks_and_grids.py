"""images that people chose, and pages of images answered at once"""

import sqlalchemy as sa
from alembic import op

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'picks',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('attribute_id', sa.Integer(), nullable=False),
        sa.Column('expert_id', sa.Integer(), nullable=False),
        sa.Column('asset_pk', sa.Integer(), nullable=False),
        sa.Column('who', sa.String(length=255), nullable=False),
        sa.Column('why', sa.Text(), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['asset_pk'], ['assets.id'], name=op.f('fk_picks_asset_pk_assets')),
        sa.ForeignKeyConstraint(['attribute_id'], ['attributes.id'], name=op.f('fk_picks_attribute_id_attributes')),
        sa.ForeignKeyConstraint(['expert_id'], ['experts.id'], name=op.f('fk_picks_expert_id_experts')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_picks')),
        sa.UniqueConstraint('attribute_id', 'expert_id', 'asset_pk', name=op.f('uq_picks_attribute_id_expert_id_asset_pk')),
    )
    op.create_table(
        'grids',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('attribute_id', sa.Integer(), nullable=False),
        sa.Column('expert_id', sa.Integer(), nullable=False),
        sa.Column('project', sa.Integer(), nullable=False),
        sa.Column('view', sa.Integer(), nullable=False),
        sa.Column('webhook', sa.Integer(), nullable=True),
        sa.Column('synced_until', sa.DateTime(timezone=True), nullable=True),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('closed_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['attribute_id'], ['attributes.id'], name=op.f('fk_grids_attribute_id_attributes')),
        sa.ForeignKeyConstraint(['expert_id'], ['experts.id'], name=op.f('fk_grids_expert_id_experts')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_grids')),
        sa.UniqueConstraint('attribute_id', 'expert_id', name=op.f('uq_grids_attribute_id_expert_id')),
        sa.UniqueConstraint('project', name=op.f('uq_grids_project')),
    )
    op.create_table(
        'grid_pages',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('grid_id', sa.Integer(), nullable=False),
        sa.Column('label_studio_task', sa.Integer(), nullable=False),
        sa.Column('ticked', sa.String(length=255), nullable=False),
        sa.Column('unticked', sa.String(length=255), nullable=True),
        sa.Column('asset_pks', sa.JSON(), nullable=False),
        sa.Column('state', sa.String(length=255), nullable=False),
        sa.Column('label_studio_id', sa.Integer(), nullable=True),
        sa.Column('updated_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('signed_until', sa.DateTime(timezone=True), nullable=False),
        sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['grid_id'], ['grids.id'], name=op.f('fk_grid_pages_grid_id_grids')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_grid_pages')),
        sa.UniqueConstraint('label_studio_task', name=op.f('uq_grid_pages_label_studio_task')),
    )
    op.create_index(op.f('ix_grid_pages_grid_id'), 'grid_pages', ['grid_id'])
    op.create_index(op.f('ix_grid_pages_label_studio_id'), 'grid_pages', ['label_studio_id'])
    op.create_table(
        'grid_answers',
        sa.Column('annotation_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('page_id', sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ['annotation_id'], ['annotations.id'], name=op.f('fk_grid_answers_annotation_id_annotations')
        ),
        sa.ForeignKeyConstraint(['page_id'], ['grid_pages.id'], name=op.f('fk_grid_answers_page_id_grid_pages')),
        sa.PrimaryKeyConstraint('annotation_id', name=op.f('pk_grid_answers')),
    )
    op.create_index(op.f('ix_grid_answers_page_id'), 'grid_answers', ['page_id'])


def downgrade() -> None:
    for table in ('grid_answers', 'grid_pages', 'grids', 'picks'):
        op.drop_table(table)
