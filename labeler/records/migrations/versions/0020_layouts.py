"""layouts: saved maps of the pool"""

import sqlalchemy as sa
from alembic import op

revision = '0020'
down_revision = '0019'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'layouts',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('space', sa.String(length=255), nullable=False),
        sa.Column('space_digest', sa.String(length=255), nullable=False),
        sa.Column('seed', sa.Integer(), nullable=False),
        sa.Column('landmarks', sa.Integer(), nullable=False),
        sa.Column('landmarks_digest', sa.String(length=64), nullable=False),
        sa.Column('images', sa.Integer(), nullable=False),
        sa.Column('file', sa.String(length=64), nullable=True),
        sa.Column('placed_until', sa.Integer(), nullable=False),
        sa.Column('made_by', sa.String(length=255), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('placed_at', sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_layouts')),
    )
    op.create_index('ix_layouts_space_space_digest', 'layouts', ['space', 'space_digest'])


def downgrade() -> None:
    op.drop_index('ix_layouts_space_space_digest', 'layouts')
    op.drop_table('layouts')
