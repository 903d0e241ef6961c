"""annotations: found by when they were given, and those that are deleted without a look at the others"""

import sqlalchemy as sa
from alembic import op

revision = '0033'
down_revision = '0031'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index('ix_annotations_attribute_id_answered_at', 'annotations', ['attribute_id', 'answered_at'])
    op.create_index(
        'ix_annotations_deleted',
        'annotations',
        ['attribute_id'],
        sqlite_where=sa.text('deleted_at IS NOT NULL'),
        postgresql_where=sa.text('deleted_at IS NOT NULL'),
    )


def downgrade() -> None:
    op.drop_index('ix_annotations_deleted', 'annotations')
    op.drop_index('ix_annotations_attribute_id_answered_at', 'annotations')
