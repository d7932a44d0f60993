"""The facts of features that other services may rely on."""

from letopis.common.http.denial import AuthorizationDenied, denials
from letopis.features.batch.events import FACTS as BATCH
from letopis.features.batch.events import FeatureBatchCommitted, FeatureBatchMaterialised
from letopis.features.bundle.events import FACTS as BUNDLE
from letopis.features.bundle.events import BundleFeature, BundleRegistered
from letopis.features.dataset.events import FACTS as DATASET
from letopis.features.dataset.events import (
    DatasetBuilt,
    DatasetColumn,
    DatasetFile,
    DatasetRebuilt,
    DatasetVerified,
    Leak,
)
from letopis.features.entity.events import FACTS as ENTITY
from letopis.features.entity.events import EntityRegistered
from letopis.features.grant.events import FACTS as GRANT
from letopis.features.grant.events import GrantIssued, GrantRevoked
from letopis.features.online.events import FACTS as ONLINE
from letopis.features.online.events import LeaseGranted, OnlineCountingStopped, OnlineReadsCounted
from letopis.features.query.events import FACTS as READ
from letopis.features.query.events import ReadCompleted, ReadFailed, ReadRefused, ReadStarted
from letopis.features.source.events import FACTS as SOURCE
from letopis.features.source.events import ClassesConfirmed, ClassesProposed, ExtractRecorded, SourceRegistered
from letopis.features.view.events import FACTS as VIEW
from letopis.features.view.events import ViewFeature, ViewRegistered

# The ledger `features`.
CONTRACT = SOURCE | GRANT | ENTITY | VIEW | BUNDLE | DATASET | BATCH | denials("features")
# The ledger `access`.
ACCESS = READ | ONLINE | denials("access")
PUBLISHED = {"features": CONTRACT, "access": ACCESS}

__all__ = [
    "ACCESS",
    "CONTRACT",
    "PUBLISHED",
    "AuthorizationDenied",
    "BundleFeature",
    "BundleRegistered",
    "ClassesConfirmed",
    "ClassesProposed",
    "DatasetBuilt",
    "DatasetColumn",
    "DatasetFile",
    "DatasetRebuilt",
    "DatasetVerified",
    "EntityRegistered",
    "ExtractRecorded",
    "FeatureBatchCommitted",
    "FeatureBatchMaterialised",
    "GrantIssued",
    "GrantRevoked",
    "Leak",
    "LeaseGranted",
    "OnlineCountingStopped",
    "OnlineReadsCounted",
    "ReadCompleted",
    "ReadFailed",
    "ReadRefused",
    "ReadStarted",
    "SourceRegistered",
    "ViewFeature",
    "ViewRegistered",
]
