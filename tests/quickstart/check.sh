# shellcheck shell=bash
# What `./quickstart check` runs: the whole suite from the distribution's
# tarball with gcc, then what shows most under the sanitizers with clang. Adds
# up what every part said; a part that breaks counts as a failure.

# shellcheck disable=SC2154 # quickstart says where it builds
readonly check_folder=$build/check

passed=0 failed=0 skipped=0

# The sum of the rows "# WORD:  N" in the summaries of automake in LOG.
count() {
	local log=$1 words
	shift
	words=$(printf '|%s' "$@")
	sed -n '/^Testsuite summary/,/^# ERROR/p' "$log" |
		sed -nE "s/^# (${words#|}): *//p" |
		awk '{ n += $1 } END { print n + 0 }'
}

# What the failing tests printed; or, if none did, how the part ended.
explain() {
	local log=$1
	if grep -q '^FAIL: \|^ERROR: ' "$log"; then
		sed -n '/: \.\/test-suite\.log$/,/^Testsuite summary/p' "$log" |
			tail -n 2000
		grep '^FAIL: \|^ERROR: ' "$log" | sort -u
	else
		tail -n 60 "$log"
	fi
}

# part NAME TITLE COMMAND...: runs one part and adds up its counts.
part() {
	local log=$check_folder/$1.log title=$2 start=$SECONDS
	local status=0 pass fail skip
	shift 2
	say "$title ..."
	(
		export VERBOSE=1 AM_COLOR_TESTS=no
		"$@"
	) >"$log" 2>&1 </dev/null || status=$?
	pass=$(count "$log" PASS XFAIL)
	fail=$(count "$log" FAIL XPASS ERROR)
	skip=$(count "$log" SKIP)
	if [ "$fail" = 0 ] && { [ $status != 0 ] || [ "$pass" = 0 ]; }; then
		fail=1
	fi
	[ "$fail" = 0 ] || explain "$log"
	sed -n 's/^SKIP: /    skipped: /p' "$log" | sort -u
	say "    $pass passed, $fail failed, $skip skipped in" \
		"$((SECONDS - start)) s; the log is $log"
	passed=$((passed + pass))
	failed=$((failed + fail))
	skipped=$((skipped + skip))
}

distribution() {
	configure_in "$check_folder/gcc" CC=gcc --enable-werror &&
		make -C "$check_folder/gcc" -j"$(jobs)" distcheck \
			DISTCHECK_CONFIGURE_FLAGS="CC=gcc --enable-werror"
}

# sanitized NAME SANITIZERS TESTS: what a sanitizer finds counts also where no
# test looks at the process, which may be of any user.
sanitized() {
	local reports status=0
	reports=$(mktemp -d /tmp/hookspool-reports-XXXXXX) &&
		chmod 1777 "$reports" || return
	export ASAN_OPTIONS=log_path=$reports/asan \
		UBSAN_OPTIONS=log_path=$reports/ubsan \
		TSAN_OPTIONS=log_path=$reports/tsan
	configure_in "$check_folder/$1" CC=clang CFLAGS='-O1 -g' \
		--enable-werror --enable-sanitize="$2" &&
		make -C "$check_folder/$1" -j"$(jobs)" all &&
		make -C "$check_folder/$1" -j"$(jobs)" check TESTS="$3" || status=1
	cat "$reports"/* 2>/dev/null && status=1
	rm -rf "$reports"
	return $status
}

run_checks() {
	local line
	mkdir -p "$check_folder" || fail "cannot make $check_folder"
	part distcheck "Every test, from the tarball, built by gcc" distribution
	# shellcheck disable=SC2016 # make expands it
	part sanitize "What is quick, built by clang with ASan and UBSan" \
		sanitized asan address,undefined \
		'$(unit_tests) $(sanitized_tests)'
	# shellcheck disable=SC2016
	part threads "What has threads, built by clang with TSan" \
		sanitized tsan thread \
		'$(unit_tests) $(threaded_tests)'
	say
	line="$passed passed, $failed failed"
	[ $skipped = 0 ] || line="$line, $skipped skipped"
	say "$line"
	[ $failed = 0 ]
}
