"""spaces: ways of seeing the pool, and saved clusterings"""

import sqlalchemy as sa
from alembic import op

revision = '0016'
down_revision = '0015'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'spaces',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('name', sa.String(length=255), nullable=False),
        sa.Column('digest', sa.String(length=255), nullable=False),
        sa.Column('fingerprint', sa.JSON(), nullable=False),
        sa.Column('base_digest', sa.String(length=255), nullable=True),
        sa.Column('measures', sa.JSON(), nullable=False),
        sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_spaces')),
        sa.UniqueConstraint('digest', name=op.f('uq_spaces_digest')),
    )
    op.create_index(op.f('ix_spaces_name'), 'spaces', ['name'])
    op.create_index(op.f('ix_spaces_base_digest'), 'spaces', ['base_digest'])
    op.create_table(
        'clusterings',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('space', sa.String(length=255), nullable=False),
        sa.Column('space_digest', sa.String(length=255), nullable=False),
        sa.Column('scope', sa.String(length=255), nullable=False),
        sa.Column('within_id', sa.Integer(), nullable=True),
        sa.Column('within_number', sa.Integer(), nullable=True),
        sa.Column('k', sa.Integer(), nullable=False),
        sa.Column('agreement', sa.JSON(), nullable=False),
        sa.Column('seed', sa.Integer(), nullable=False),
        sa.Column('assets', sa.Integer(), nullable=False),
        sa.Column('file', sa.String(length=64), nullable=False),
        sa.Column('before_id', sa.Integer(), nullable=True),
        sa.Column('changes', sa.JSON(), nullable=False),
        sa.Column('made_by', sa.String(length=255), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['within_id'], ['clusterings.id'], name=op.f('fk_clusterings_within_id_clusterings')),
        sa.ForeignKeyConstraint(['before_id'], ['clusterings.id'], name=op.f('fk_clusterings_before_id_clusterings')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_clusterings')),
    )
    op.create_index('ix_clusterings_space_scope', 'clusterings', ['space', 'scope'])
    op.create_table(
        'clusters',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('clustering_id', sa.Integer(), nullable=False),
        sa.Column('place', sa.Integer(), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('size', sa.Integer(), nullable=False),
        sa.Column('stability', sa.Double(), nullable=True),
        sa.Column('name', sa.String(length=255), nullable=False),
        sa.ForeignKeyConstraint(
            ['clustering_id'], ['clusterings.id'], name=op.f('fk_clusters_clustering_id_clusterings')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_clusters')),
        sa.UniqueConstraint('clustering_id', 'number', name=op.f('uq_clusters_clustering_id_number')),
        sa.UniqueConstraint('clustering_id', 'place', name=op.f('uq_clusters_clustering_id_place')),
    )


def downgrade() -> None:
    op.drop_table('clusters')
    op.drop_index('ix_clusterings_space_scope', 'clusterings')
    op.drop_table('clusterings')
    op.drop_index(op.f('ix_spaces_base_digest'), 'spaces')
    op.drop_index(op.f('ix_spaces_name'), 'spaces')
    op.drop_table('spaces')
