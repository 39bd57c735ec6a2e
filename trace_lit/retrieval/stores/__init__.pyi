from .base import COLUMNS, Found, Rows, Store, StoreError, checked, key_of
from .faiss import FaissStore
from .milvus import MilvusStore

__all__ = ["COLUMNS", "FaissStore", "Found", "MilvusStore", "Rows", "Store", "StoreError", "checked", "key_of"]
