//! Gap analyses in forms other than JSON.
