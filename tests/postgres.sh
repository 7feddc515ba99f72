# A private PostgreSQL cluster on a socket in a temporary folder, to be sourced: sets `postgres_url` (of its first database) and
# `postgres_version`, and defines `postgres_stop`. Nothing has to run; nothing is left behind once `postgres_stop` was called.

# PostgreSQL's programs: on the PATH, or where Debian puts them.
postgres_bin=$(dirname "$(command -v initdb || ls -1d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -V | tail -n 1 || true)" 2>/dev/null || true)
[ -n "$postgres_bin" ] && [ -x "$postgres_bin/initdb" ] || {
  echo "$0: PostgreSQL's programs are missing (Debian: apt-get install postgresql)" >&2; exit 1; }
postgres_version=$("$postgres_bin/postgres" --version | awk '{print $3}')

# PostgreSQL refuses to run as root.
postgres_folder=$(mktemp -d /tmp/mc-tests.XXXXXX)
postgres_as() { "$@"; }
if [ "$(id -u)" = 0 ]; then
  postgres_user=$(id -un postgres 2>/dev/null || echo nobody)
  chown "$postgres_user" "$postgres_folder"
  postgres_as() { setpriv --reuid "$postgres_user" --regid "$(id -g "$postgres_user")" --clear-groups -- "$@"; }
fi
postgres_stop() {
  postgres_as "$postgres_bin/pg_ctl" -D "$postgres_folder/data" -m immediate stop >/dev/null 2>&1 || true
  rm -rf "$postgres_folder"
}
trap postgres_stop EXIT
(cd "$postgres_folder" && postgres_as "$postgres_bin/initdb" -D "$postgres_folder/data" -U postgres -A trust --no-sync -E UTF8 --locale=C >"$postgres_folder/initdb.log" 2>&1) || {
  cat "$postgres_folder/initdb.log" >&2; exit 1; }
(cd "$postgres_folder" && postgres_as "$postgres_bin/pg_ctl" -D "$postgres_folder/data" -w -l "$postgres_folder/data/log" \
  -o "-k $postgres_folder -c listen_addresses='' -c fsync=off -c full_page_writes=off -c max_connections=300" start >/dev/null) || {
  cat "$postgres_folder/data/log" >&2; exit 1; }
postgres_url="postgres://postgres@/postgres?host=$postgres_folder"
