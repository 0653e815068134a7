-- Changes of who may do what.

-- name: AccessVersion :one
-- Read on the connection that listens: what it has committed by now has been told there too.
SELECT version FROM access_version;
