"""The tables. Words as in the design: asset, attribute, expert, task, annotation, run, version, alias.

Every change here needs a migration in ``records/migrations/versions``; a test upgrades an old file and compares.
"""

from attune.labeler.records.schema.answer_tables import (
    Annotation,
    AnnotationEvent,
    Comment,
    ConfirmedAnswer,
    GridAnswer,
    LabelError,
    Stray,
    SuspectedAnswer,
    ToldLabelError,
    Tombstone,
)
from attune.labeler.records.schema.base import Base, new_key
from attune.labeler.records.schema.catalog_tables import Alias, Promotion, Run, Version
from attune.labeler.records.schema.import_tables import PerformanceImport, Watched
from attune.labeler.records.schema.insight_tables import (
    GoesWithRun,
    ImportedFeature,
    Insight,
    InsightCompanion,
    InsightEvent,
    InsightQuestion,
    InsightRun,
    InsightVersion,
)
from attune.labeler.records.schema.job_tables import Job, Notice, NoticeRead
from attune.labeler.records.schema.member_tables import MemberFile, MemberGrouping, MemberPromotion
from attune.labeler.records.schema.people_tables import ConsoleSession, SignInLink, Token, User
from attune.labeler.records.schema.pool_tables import Asset, AssetStamp, Encoder, LookAlike
from attune.labeler.records.schema.question_tables import (
    Attribute,
    AttributeRevision,
    Expert,
    Grid,
    GridPage,
    Pick,
    Queue,
    Task,
)
from attune.labeler.records.schema.scope_tables import ScopeDecision, ScopeGroups
from attune.labeler.records.schema.space_tables import (
    Cluster,
    Clustering,
    Description,
    Layout,
    Space,
    SpacePromotion,
    SpaceVersion,
)

__all__ = [
    "Alias",
    "Annotation",
    "AnnotationEvent",
    "Asset",
    "AssetStamp",
    "Attribute",
    "AttributeRevision",
    "Base",
    "Cluster",
    "Clustering",
    "Comment",
    "ConfirmedAnswer",
    "ConsoleSession",
    "Description",
    "Encoder",
    "Expert",
    "GoesWithRun",
    "Grid",
    "GridAnswer",
    "GridPage",
    "ImportedFeature",
    "Insight",
    "InsightCompanion",
    "InsightEvent",
    "InsightQuestion",
    "InsightRun",
    "InsightVersion",
    "Job",
    "LabelError",
    "Layout",
    "LookAlike",
    "MemberFile",
    "MemberGrouping",
    "MemberPromotion",
    "Notice",
    "NoticeRead",
    "PerformanceImport",
    "Pick",
    "Promotion",
    "Queue",
    "Run",
    "ScopeDecision",
    "ScopeGroups",
    "SignInLink",
    "Space",
    "SpacePromotion",
    "SpaceVersion",
    "Stray",
    "SuspectedAnswer",
    "Task",
    "Token",
    "ToldLabelError",
    "Tombstone",
    "User",
    "Version",
    "Watched",
    "new_key",
]
