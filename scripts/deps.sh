#!/bin/sh
# deps.sh installs what is missing, and says nothing when nothing is.
#
#   scripts/deps.sh run     what the server needs: the server binaries of Postgres
#   scripts/deps.sh test    that, and what the tests need: a C compiler (for the
#                           race detector), Node, Chromium, pdftotext and the npm packages
#   scripts/deps.sh bench   what make bench-servers needs: Postgres, Node, and the
#                           servers it compares with, in loadtest/peers
#
# It uses the machine's package manager, with sudo where that is needed and
# there; where it cannot, it says exactly what to install.
set -eu
cd "$(dirname "$0")/.."

POSTGRES_MIN=14 # as server/postgres asks for
NODE_MIN=20

main() {
	case "${1-}" in
	run) need_postgres ;;
	test)
		need_postgres
		need_compiler
		need_node
		need_chromium
		need_poppler
		need_npm_packages . --ignore-scripts
		;;
	bench)
		need_postgres
		need_node
		need_npm_packages loadtest/peers # the script of npm's node fetches that node
		;;
	*)
		echo "usage: scripts/deps.sh run|test|bench" >&2
		exit 2
		;;
	esac
}

need_postgres() {
	! has_postgres || return 0
	case "$(manager)" in
	apt) add_without_default_cluster postgresql ;;
	dnf) add postgresql-server ;;
	apk) add postgresql ;;
	pacman) add postgresql ;;
	zypper) add postgresql-server ;;
	brew) add postgresql@17 ;;
	esac || :
	has_postgres || fail "The server binaries of PostgreSQL $POSTGRES_MIN or newer are missing" \
		"the package with the programs postgres and initdb"
}

# has_postgres looks where server/postgres looks.
has_postgres() {
	for bin in \
		"$(real_dir postgres)" \
		/usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/lib/postgresql*/bin /usr/libexec/postgresql* \
		/opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin /home/linuxbrew/.linuxbrew/opt/postgresql*/bin \
		/Applications/Postgres.app/Contents/Versions/*/bin /usr/local/pgsql/bin; do
		if [ -x "$bin/postgres" ] && [ -x "$bin/initdb" ]; then
			version=$("$bin/postgres" --version 2>/dev/null | sed -n 's/^postgres (PostgreSQL) \([0-9]*\).*/\1/p')
			[ "${version:-0}" -lt "$POSTGRES_MIN" ] || return 0
		fi
	done
	return 1
}

# real_dir prints where a program of PATH really is.
real_dir() {
	path=$(command -v "$1") || return 0
	dirname "$(readlink -f "$path" 2>/dev/null || echo "$path")"
}

# add_without_default_cluster keeps Debian's packages from making, and
# starting, a database of their own.
add_without_default_cluster() {
	add postgresql-common || return
	dir=/etc/postgresql-common/createcluster.d
	root sh -c "mkdir -p $dir && echo 'create_main_cluster = false' >$dir/tidechart.conf" || return
	add "$@"
	added=$?
	root rm -f "$dir/tidechart.conf"
	return "$added"
}

need_compiler() {
	! has_compiler || return 0
	case "$(manager)" in
	apt) add gcc libc6-dev ;;
	dnf) add gcc glibc-devel ;;
	apk) add gcc musl-dev ;;
	pacman) add gcc ;;
	zypper) add gcc glibc-devel ;;
	esac || :
	has_compiler || fail "The race detector needs a C compiler" "gcc (on a Mac: xcode-select --install)"
}

has_compiler() {
	cc=$(go env CC)
	command -v "${cc%% *}" >/dev/null 2>&1
}

need_node() {
	! has_node || return 0
	case "$(manager)" in
	apt) add nodejs npm ;;
	dnf) add nodejs npm ;;
	apk) add nodejs npm ;;
	pacman) add nodejs npm ;;
	zypper) add nodejs npm ;;
	brew) add node ;;
	esac || :
	has_node || fail "Node $NODE_MIN or newer with npm is missing (here: $(command -v node >/dev/null 2>&1 && node_version || echo none))" \
		"Node from https://nodejs.org"
}

has_node() {
	command -v npm >/dev/null 2>&1 && command -v node >/dev/null 2>&1 && [ "$(node_version)" -ge "$NODE_MIN" ]
}

# node_version prints the major version.
node_version() { node --version 2>/dev/null | sed 's/^v\([0-9]*\).*/\1/'; }

need_chromium() {
	if has_chromium; then
		want_headless_shell
		return
	fi
	case "$(manager)" in
	apt)
		add chromium fonts-liberation || add chromium-browser fonts-liberation
		;;
	dnf) add chromium ;;
	apk) add chromium font-liberation ;;
	pacman) add chromium ;;
	zypper) add chromium ;;
	brew) brew install --cask chromium ;;
	esac || :
	want_headless_shell
	has_chromium || fail "Chromium is missing" "Chromium or Chrome (set CHROMIUM to its path if it is not in PATH)"
}

# want_headless_shell installs the browser that has no frame around its pages, with which tests take two thirds of the time, where it is to be
# had or nothing says that it is not. Chromium serves without it.
want_headless_shell() {
	[ -z "${CHROMIUM-}" ] && [ "$(manager)" = apt ] && ! command -v chromium-headless-shell >/dev/null 2>&1 || return 0
	if apt-cache show chromium-headless-shell >/dev/null 2>&1 || ! apt-cache show bash >/dev/null 2>&1; then
		add chromium-headless-shell fonts-liberation || :
	fi
}

has_chromium() {
	for browser in "${CHROMIUM-}" chromium-headless-shell chromium chromium-browser google-chrome; do
		[ -n "$browser" ] && command -v "$browser" >/dev/null 2>&1 && return
	done
	return 1
}

# need_poppler installs what reads PDFs, as people's programs do.
need_poppler() {
	! has_poppler || return 0
	case "$(manager)" in
	brew | pacman) add poppler ;;
	zypper) add poppler-tools ;;
	*) add poppler-utils ;;
	esac || :
	has_poppler || fail "pdftotext and pdftoppm are missing" "poppler-utils"
}

has_poppler() { command -v pdftotext >/dev/null 2>&1 && command -v pdftoppm >/dev/null 2>&1; }

# npm_packages fills node_modules from the lock file, if that has changed since.
# need_npm_packages installs those of the directory $1, with further options of npm ci.
need_npm_packages() {
	dir=$1
	shift
	stamp=$dir/node_modules/.tidechart-lock
	lock=$(cksum <"$dir/package-lock.json")
	[ "$(cat "$stamp" 2>/dev/null)" = "$lock" ] && return
	say "Installing the npm packages of $dir/package-lock.json"
	(cd "$dir" && npm ci "$@" --no-audit --no-fund --loglevel=error)
	echo "$lock" >"$stamp"
}

# manager prints the machine's package manager, or nothing.
manager() {
	case "$(uname -s)" in
	Darwin) known="brew" ;;
	*) known="apt-get dnf apk pacman zypper" ;;
	esac
	for m in $known; do
		if command -v "$m" >/dev/null 2>&1; then
			echo "${m%-get}"
			return
		fi
	done
}

# add installs packages. Whoever needs them looks whether that has helped.
add() {
	update || return
	say "Installing $*"
	case "$(manager)" in
	apt) root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null ;;
	dnf) root dnf install -y -q "$@" ;;
	apk) root apk add -q "$@" ;;
	pacman) root pacman -S --needed --noconfirm "$@" >/dev/null ;;
	zypper) root zypper --quiet --non-interactive install "$@" ;;
	brew) brew install --quiet "$@" ;;
	esac
}

# update fetches the package lists, once.
update() {
	[ -z "${updated-}" ] || return 0
	updated=yes
	case "$(manager)" in
	apt) root env DEBIAN_FRONTEND=noninteractive apt-get update -qq ;;
	apk) root apk update -q ;;
	pacman) root pacman -Sy --noconfirm >/dev/null ;;
	esac
}

# root runs a command as root.
root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif command -v sudo >/dev/null 2>&1; then
		sudo "$@"
	else
		echo "Not root, and there is no sudo to run: $*" >&2
		return 1
	fi
}

say() { echo "$*..." >&2; }

# fail says what is missing and what to install.
fail() {
	echo "$1. Please install $2, then try again." >&2
	exit 1
}

main "$@"
