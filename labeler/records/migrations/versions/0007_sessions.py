"""sessions of the console are rows that can be ended, and Label Studio is told again of everybody who is out

Everybody logs in once more. Jobs of before ended less in Label Studio than today's does: sessions and tokens lived on.
"""

from datetime import UTC, datetime
from secrets import token_hex

import sqlalchemy as sa
from alembic import op

revision = '0007'
down_revision = '0006'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        'sessions',
        sa.Column('id', sa.Integer(), nullable=False),
        sa.Column('user_id', sa.Integer(), nullable=False),
        sa.Column('digest', sa.String(length=255), nullable=False),
        sa.Column('network_address', sa.String(length=255), nullable=False),
        sa.Column('browser', sa.String(length=255), nullable=False),
        sa.Column('made_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('last_seen', sa.DateTime(timezone=True), nullable=False),
        sa.Column('expires_at', sa.DateTime(timezone=True), nullable=False),
        sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(['user_id'], ['users.id'], name=op.f('fk_sessions_user_id_users')),
        sa.PrimaryKeyConstraint('id', name=op.f('pk_sessions')),
        sa.UniqueConstraint('digest', name=op.f('uq_sessions_digest')),
    )
    op.create_index(op.f('ix_sessions_user_id'), 'sessions', ['user_id'])
    with op.batch_alter_table('users') as table:
        table.drop_column('session_salt')
    _tell_label_studio_again()


def _tell_label_studio_again() -> None:
    """Record the job `leave` for experts who left and for logins that are shut; the scheduler finds and sends it."""
    experts = sa.table('experts', sa.column('email'), sa.column('removed_at'))
    users = sa.table('users', sa.column('email'), sa.column('disabled_at'), sa.column('password_hash'))
    out = sa.union(
        sa.select(experts.c.email).where(experts.c.removed_at.is_not(None)),
        sa.select(users.c.email).where(users.c.disabled_at.is_not(None), users.c.password_hash != ''),
    )
    jobs = sa.table(
        'jobs',
        sa.column('id', sa.String),
        sa.column('kind', sa.String),
        sa.column('arguments', sa.JSON),
        sa.column('state', sa.String),
        sa.column('done', sa.Integer),
        sa.column('total', sa.Integer),
        sa.column('result', sa.JSON),
        sa.column('error', sa.Text),
        sa.column('created_at', sa.DateTime(timezone=True)),
    )
    new = {'kind': 'leave', 'state': 'queued', 'done': 0, 'total': 0, 'result': {}, 'error': ''}
    rows = [
        new | {'id': f'leave-{token_hex(8)}', 'arguments': {'expert': email}, 'created_at': datetime.now(UTC)}
        for email in op.get_bind().scalars(out).all()
    ]
    if rows:
        op.get_bind().execute(jobs.insert(), rows)


def downgrade() -> None:
    op.drop_index(op.f('ix_sessions_user_id'), 'sessions')
    op.drop_table('sessions')
    # A constant would let one person's cookie of before pass for a while; no cookie ever held an empty salt.
    with op.batch_alter_table('users') as table:
        table.add_column(sa.Column('session_salt', sa.String(length=255), nullable=False, server_default=''))
    users = sa.table('users', sa.column('id', sa.Integer), sa.column('session_salt', sa.String))
    for number in op.get_bind().scalars(sa.select(users.c.id)).all():
        op.get_bind().execute(users.update().where(users.c.id == number).values(session_salt=token_hex(8)))
    with op.batch_alter_table('users') as table:
        table.alter_column('session_salt', existing_type=sa.String(length=255), server_default=None)
