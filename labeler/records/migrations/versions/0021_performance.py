"""performance: what was imported, with its faults; the rows are in Parquet files"""

import sqlalchemy as sa
from alembic import op

revision = '0021'
down_revision = '0020'
branch_labels = None
depends_on = None

WIDE = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')


def upgrade() -> None:
    op.create_table(
        'performance_imports',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('file', sa.String(length=64), nullable=False),
        sa.Column('source', sa.Text(), nullable=False),
        sa.Column('source_digest', sa.String(length=64), nullable=False),
        sa.Column('options', sa.JSON(), nullable=False),
        sa.Column('rows', WIDE, nullable=False),
        sa.Column('rows_read', WIDE, nullable=False),
        sa.Column('rows_replaced', WIDE, nullable=False),
        sa.Column('faults', sa.JSON(), nullable=False),
        sa.Column('impressions', WIDE, nullable=False),
        sa.Column('takes', sa.Double(), nullable=False),
        sa.Column('added_by', sa.String(length=255), nullable=False),
        sa.Column('added_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('removed_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('removed_by', sa.String(length=255), nullable=False),
        sa.Column('removed_reason', sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_performance_imports')),
    )
    op.create_index(op.f('ix_performance_imports_source_digest'), 'performance_imports', ['source_digest'])


def downgrade() -> None:
    op.drop_index(op.f('ix_performance_imports_source_digest'), 'performance_imports')
    op.drop_table('performance_imports')
