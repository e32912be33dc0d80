//! What answers an app heartbeat: JSON fields, literal text or bytes.
