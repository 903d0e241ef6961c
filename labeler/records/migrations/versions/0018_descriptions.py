"""descriptions: what clusters have in common, and what people note of them"""

import sqlalchemy as sa
from alembic import op

revision = '0018'
down_revision = '0017'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'descriptions',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('clustering_id', sa.Integer(), nullable=False),
        sa.Column('number', sa.Integer(), nullable=False),
        sa.Column('place', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=255), nullable=False),
        sa.Column('attribute_id', sa.Integer(), nullable=True),
        sa.Column('name', sa.String(length=255), nullable=False),
        sa.Column('value', sa.String(length=255), nullable=False),
        sa.Column('share', sa.Double(), nullable=True),
        sa.Column('lo', sa.Double(), nullable=True),
        sa.Column('hi', sa.Double(), nullable=True),
        sa.Column('rest', sa.Double(), nullable=True),
        sa.Column('n', sa.Integer(), nullable=False),
        sa.Column('titles', sa.Integer(), nullable=False),
        sa.Column('p', sa.Double(), nullable=True),
        sa.Column('q', sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ['clustering_id'], ['clusterings.id'], name=op.f('fk_descriptions_clustering_id_clusterings')
        ),
        sa.ForeignKeyConstraint(
            ['attribute_id'], ['attributes.id'], name=op.f('fk_descriptions_attribute_id_attributes')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_descriptions')),
    )
    op.create_index(op.f('ix_descriptions_clustering_id'), 'descriptions', ['clustering_id'])
    op.add_column('clusterings', sa.Column('described_at', sa.DateTime(timezone=True), nullable=True))
    op.add_column('clusterings', sa.Column('described', sa.JSON(), server_default='{}', nullable=False))
    op.add_column('clusters', sa.Column('note', sa.Text(), server_default='', nullable=False))
    op.add_column('clusters', sa.Column('near', sa.JSON(), server_default='[]', nullable=False))


def downgrade() -> None:
    op.drop_column('clusters', 'near')
    op.drop_column('clusters', 'note')
    op.drop_column('clusterings', 'described')
    op.drop_column('clusterings', 'described_at')
    op.drop_index(op.f('ix_descriptions_clustering_id'), 'descriptions')
    op.drop_table('descriptions')
