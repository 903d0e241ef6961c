"""tasks and pages carry a key of ours, Label Studio's ids become addresses, and strays have a table"""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = '0005'
down_revision = '0004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ('tasks', 'grid_pages'):
        with op.batch_alter_table(table) as batch:
            batch.add_column(sa.Column('key', sa.String(length=32), nullable=True))
        rows = sa.table(table, sa.column('id', sa.Integer), sa.column('key', sa.String))
        ids = list(op.get_bind().scalars(sa.select(rows.c.id)))
        for start in range(0, len(ids), 1000):
            keys = [{'which': number, 'made': uuid4().hex} for number in ids[start : start + 1000]]
            op.get_bind().execute(
                rows.update().where(rows.c.id == sa.bindparam('which')).values(key=sa.bindparam('made')), keys
            )
        with op.batch_alter_table(table) as batch:
            batch.alter_column('key', existing_type=sa.String(length=32), nullable=False)
            batch.alter_column('label_studio_task', existing_type=sa.Integer(), nullable=True)
            batch.create_unique_constraint(op.f(f'uq_{table}_key'), ['key'])
    with op.batch_alter_table('queues') as batch:
        batch.add_column(sa.Column('surplus', sa.Integer(), nullable=False, server_default='0'))
        batch.add_column(sa.Column('kept', sa.Integer(), nullable=False, server_default='0'))
    # They only kept late news from reviving an answer; what is deleted stays marked at the answer itself.
    op.drop_table('tombstones')
    op.create_table(
        'tombstones',
        sa.Column('project', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('label_studio_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('project', 'label_studio_id', name=op.f('pk_tombstones')),
    )
    op.create_table(
        'strays',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('attribute_id', sa.Integer(), nullable=False),
        sa.Column('expert_id', sa.Integer(), nullable=False),
        sa.Column('project', sa.Integer(), nullable=False),
        sa.Column('label_studio_id', sa.Integer(), nullable=False),
        sa.Column('label_studio_task', sa.Integer(), nullable=False),
        sa.Column('asset_id', sa.String(length=255), nullable=False),
        sa.Column('author', sa.String(length=255), nullable=False),
        sa.Column('value', sa.String(length=255), nullable=False),
        sa.Column('reason', sa.String(length=255), nullable=False),
        sa.Column('updated_at', sa.DateTime(timezone=True), nullable=True),
        sa.Column('seen_at', sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(['attribute_id'], ['attributes.id'], name=op.f('fk_strays_attribute_id_attributes')),
        sa.ForeignKeyConstraint(['expert_id'], ['experts.id'], name=op.f('fk_strays_expert_id_experts')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_strays')),
        sa.UniqueConstraint('project', 'label_studio_id', name=op.f('uq_strays_project_label_studio_id')),
    )
    op.create_index(op.f('ix_strays_attribute_id'), 'strays', ['attribute_id'])


def downgrade() -> None:
    op.drop_index(op.f('ix_strays_attribute_id'), 'strays')
    op.drop_table('strays')
    op.drop_table('tombstones')
    op.create_table(
        'tombstones',
        sa.Column('label_studio_id', sa.Integer(), autoincrement=False, nullable=False),
        sa.Column('deleted_at', sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint('label_studio_id', name=op.f('pk_tombstones')),
    )
    with op.batch_alter_table('queues') as batch:
        batch.drop_column('kept')
        batch.drop_column('surplus')
    for table in ('grid_pages', 'tasks'):
        # What has no address any more cannot be said in the older schema: a negative one stands for "gone".
        op.execute(f'UPDATE {table} SET label_studio_task = -id WHERE label_studio_task IS NULL')
        with op.batch_alter_table(table) as batch:
            batch.drop_constraint(op.f(f'uq_{table}_key'), type_='unique')
            batch.alter_column('label_studio_task', existing_type=sa.Integer(), nullable=False)
            batch.drop_column('key')
