"""members: files of hashed rows, groupings in versions, and which one is in use"""

import sqlalchemy as sa
from alembic import op

revision = '0029'
down_revision = '0028'
branch_labels = None
depends_on = None

WIDE = sa.BigInteger().with_variant(sa.Integer(), 'sqlite')
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        'member_files',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=16), nullable=False),
        sa.Column('file', sa.String(length=64), nullable=False),
        sa.Column('source', sa.Text(), nullable=False),
        sa.Column('rows', WIDE, nullable=False),
        sa.Column('rows_read', WIDE, nullable=False),
        sa.Column('faults', sa.JSON(), nullable=False),
        sa.Column('added_by', sa.String(length=255), nullable=False),
        sa.Column('added_at', TIME, nullable=False),
        sa.Column('expires_at', TIME, nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_member_files')),
    )
    op.create_index(op.f('ix_member_files_expires_at'), 'member_files', ['expires_at'])
    op.create_table(
        'member_groupings',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('kind', sa.String(length=16), nullable=False),
        sa.Column('groups', sa.Integer(), nullable=False),
        sa.Column('seed', sa.Integer(), nullable=False),
        sa.Column('figures', sa.JSON(), nullable=False),
        sa.Column('forecast', sa.JSON(), nullable=False),
        sa.Column('made_by', sa.String(length=255), nullable=False),
        sa.Column('made_at', TIME, nullable=False),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_member_groupings')),
    )
    op.create_table(
        'member_promotions',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('grouping_id', sa.Integer(), nullable=False),
        sa.Column('at', TIME, nullable=False),
        sa.Column('who', sa.String(length=255), nullable=False),
        sa.Column('reason', sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ['grouping_id'], ['member_groupings.id'], name=op.f('fk_member_promotions_grouping_id_member_groupings')
        ),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_member_promotions')),
    )


def downgrade() -> None:
    op.drop_table('member_promotions')
    op.drop_table('member_groupings')
    op.drop_index(op.f('ix_member_files_expires_at'), 'member_files')
    op.drop_table('member_files')
