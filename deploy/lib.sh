# Shared by quickstart and test: steps, packages, the private PostgreSQL. Sourced by bash.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

step() { printf '\n== %s\n' "$*"; }
note() { printf '   %s\n' "$*"; }
die() {
	printf 'error: %s\n' "$1" >&2
	[ $# -lt 2 ] || printf '       %s\n' "$2" >&2
	exit 1
}

# installed NAME[|NAME]...: one of them is.
installed() {
	local p
	for p in ${1//|/ }; do
		dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null | grep -qx installed && return
	done
	return 1
}

# offered NAME[|NAME]...: of each the first that apt knows, or else the last; "-" is nothing.
offered() {
	local names p
	for names; do
		for p in ${names//|/ }; do
			[[ $(apt-cache policy "$p" 2>/dev/null) =~ Candidate:\ [^\(] ]] && break
		done
		[ "$p" = - ] || printf '%s ' "$p"
	done
}

# install_packages GROUP...: installs what is missing of deploy/packages, nothing when all is there.
install_packages() {
	local wanted missing sudo=
	wanted=$(awk -v groups=" $* " '!/^#/ && NF && index(groups, " " $1 " ") { print $2 }' "$root/deploy/packages")
	missing=$(for p in $wanted; do installed "$p" || echo "$p"; done)
	if [ -z "$missing" ]; then
		note "all packages are installed"
		return
	fi
	command -v apt-get >/dev/null || die "apt-get is missing: this works on Debian and Ubuntu" \
		"elsewhere install by hand what deploy/packages lists, then use --no-install"
	if [ "$(id -u)" != 0 ]; then
		command -v sudo >/dev/null || die "packages are missing, and there is no sudo to install them" \
			"as root: apt-get install $(offered $missing)"
		sudo=sudo
	fi
	$sudo apt-get update -qq || die "apt-get update failed"
	missing=$(offered $missing)
	note "installing: ${missing:-nothing, the others are not to be had here}"
	[ -z "$missing" ] || $sudo env DEBIAN_FRONTEND=noninteractive "$root/deploy/apt-quietly" $missing ||
		die "apt-get could not install: $missing"
}

# build DIR [MESON OPTION...]: configures once, then builds what changed.
build() {
	local dir=$1 log
	shift
	log=$(mktemp)
	if [ ! -e "$dir/build.ninja" ] && ! meson setup "$dir" "$root" "$@" >"$log" 2>&1; then
		tail -20 "$log" >&2
		die "meson could not configure $dir"
	fi
	if ! ninja -C "$dir" >"$log" 2>&1; then
		grep -v '^\[' "$log" | tail -40 >&2
		die "the build in $dir failed"
	fi
	rm -f "$log"
}

# ---- the private PostgreSQL: state folder, unix socket only, an unprivileged user ----

pg_bin() {
	local newest
	newest=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1)
	[ -n "$newest" ] || die "PostgreSQL's programs are missing" "apt-get install postgresql"
	echo "$newest"
}

# as_pg COMMAND...: as the user the cluster belongs to; PostgreSQL refuses to run as root. When that
# user may not pass through the folders above the state (a clone below /root, say), it gets the one
# capability to do so, and no other.
as_pg() {
	if [ "$(id -u)" != 0 ]; then
		"$@"
	elif (cd / && setpriv --reuid=postgres --regid=postgres --clear-groups test -x "$state/postgres"); then
		(cd / && setpriv --reuid=postgres --regid=postgres --clear-groups "$@")
	else
		(cd / && setpriv --reuid=postgres --regid=postgres --clear-groups \
			--inh-caps=+dac_read_search --ambient-caps=+dac_read_search "$@")
	fi
}

pg_running() { [ -e "$state/postgres/postmaster.pid" ] && as_pg "$(pg_bin)/pg_ctl" -D "$state/postgres" status >/dev/null 2>&1; }

# The folder of the socket; a socket's path has at most 107 bytes.
pg_socket() {
	if [ ${#state} -lt 80 ]; then
		echo "$state/run"
	else
		echo "/tmp/p4pd-$(printf %s "$state" | cksum | cut -d' ' -f1)"
	fi
}

pg_conninfo() { echo "host=$(pg_socket) user=p4pd dbname=p4pd"; }

pg_start() {
	local bin socket
	bin=$(pg_bin) socket=$(pg_socket)
	mkdir -p "$state/postgres" "$socket"
	[ "$(id -u)" != 0 ] || chown postgres:postgres "$state/postgres" "$socket"
	chmod 700 "$state/postgres"
	if [ ! -e "$state/postgres/PG_VERSION" ]; then
		as_pg "$bin/initdb" -D "$state/postgres" -U p4pd -A trust -E UTF8 --no-locale \
			>"$state/initdb.log" 2>&1 || { tail -5 "$state/initdb.log" >&2; die "initdb failed"; }
	fi
	pg_running || as_pg "$bin/pg_ctl" -D "$state/postgres" -w -t 60 -l "$state/postgres/log" \
		-o "-c listen_addresses='' -c unix_socket_directories='$socket' -c unix_socket_permissions=0700" \
		start >/dev/null 2>&1 </dev/null || { tail -5 "$state/postgres/log" >&2; die "PostgreSQL did not start"; }
	"$bin/psql" -h "$socket" -U p4pd -d postgres -qAtc "select 1 from pg_database where datname = 'p4pd'" |
		grep -qx 1 || "$bin/createdb" -h "$socket" -U p4pd p4pd
}

pg_stop() {
	! pg_running || as_pg "$(pg_bin)/pg_ctl" -D "$state/postgres" -w -m fast stop >/dev/null
}
