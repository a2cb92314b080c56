/*
 * Units of src/event/event: the vendor's samples, what counts as an envelope
 * and what does not, how strings are decoded, how long they may be.
 */
#include "config.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "event_unit.h"
#include "repeat.h"

/* Fails if the text is an envelope, or one for another reason. */
static void
assert_no_envelope(const char *text, const char *why)
{
	struct event_error error = read_text(text);

	if (error.verdict != EVENT_NOT_ENVELOPE || strcmp(error.why, why) != 0)
		fail_msg("%s: %s", text, error.why ? error.why : "accepted");
}

static void
read_sample(const char *name)
{
	const char *top = getenv("top_srcdir");
	char path[4096], body[4096];
	size_t len;
	FILE *file;

	snprintf(path, sizeof path, "%s/tests/data/%s", top != NULL ? top : ".",
	    name);
	file = fopen(path, "rb");
	if (file == NULL)
		fail_msg("%s cannot be opened", path);
	len = fread(body, 1, sizeof body - 1, file);
	fclose(file);
	body[len] = '\0';
	read_fine(body);
}

static void
the_note_deletion_of_the_vendor_is_read(void **state)
{
	(void)state;
	read_sample("note_deletion.json");
	assert_is(event.community, "yourCompany");
	assert_is(event.type, "note_deletion");
	assert_is(event.ticket, NULL);
	assert_is(event.note, "182605");
	assert_is(event.conversation, NULL);
}

static void
the_ticket_status_change_of_the_vendor_is_read(void **state)
{
	(void)state;
	read_sample("ticket_status_change.json");
	assert_is(event.community, "yourCompany");
	assert_is(event.type, "ticket_status_change");
	assert_is(event.ticket, "4478963");
	assert_is(event.note, NULL);
	assert_is(event.conversation, NULL);
}

static void
the_missing_comma_of_the_vendor_is_named_at_its_byte(void **state)
{
	static const char text[] =
	    "{\n\"EventType\": \"ticket_status_change\",\n\"TicketId\": "
	    "4478963\n\"Events\": []\n}";
	struct event_error error;

	(void)state;
	error = read_text(text);
	assert_int_equal(error.verdict, EVENT_NOT_JSON);
	assert_string_equal(error.why, "a comma or } is missing");
	assert_ptr_equal(text + error.offset, strstr(text, "\"Events\""));
}

static void
an_envelope_needs_a_type_and_an_array_of_events(void **state)
{
	(void)state;
	assert_no_envelope("[]", "the JSON text is not an object");
	assert_no_envelope("null", "the JSON text is not an object");
	assert_no_envelope("\"EventType\"", "the JSON text is not an object");
	assert_no_envelope("[\"EventType\",\"a\",\"Events\",[]]",
	    "the JSON text is not an object");
	assert_no_envelope("{}", "EventType is missing");
	assert_no_envelope("{\"Events\":[]}", "EventType is missing");
	assert_no_envelope(
	    "{\"eventType\":\"a\",\"Events\":[]}", "EventType is missing");
	assert_no_envelope(
	    "{\"EventTypes\":\"a\",\"Events\":[]}", "EventType is missing");
	assert_no_envelope("{\"a\":{\"EventType\":\"a\",\"Events\":[]}}",
	    "EventType is missing");
	assert_no_envelope(
	    "{\"EventType\":1,\"Events\":[]}", "EventType is not a string");
	assert_no_envelope(
	    "{\"EventType\":null,\"Events\":[]}", "EventType is not a string");
	assert_no_envelope("{\"EventType\":[\"a\"],\"Events\":[]}",
	    "EventType is not a string");
	assert_no_envelope(
	    "{\"EventType\":\"\",\"Events\":[]}", "EventType is empty");
	assert_no_envelope("{\"EventType\":\"a\"}", "Events is missing");
	assert_no_envelope(
	    "{\"EventType\":\"a\",\"Events\":{}}", "Events is not an array");
	assert_no_envelope(
	    "{\"EventType\":\"a\",\"Events\":null}", "Events is not an array");
	assert_no_envelope("{\"EventType\":\"a\",\"Events\":\"[]\"}",
	    "Events is not an array");
}

static void
any_number_of_events_of_any_kind_will_do(void **state)
{
	static const char *const events[] = {"[]", "[null]", "[1,2,3]",
	    "[[[{\"NoteId\":9}]]]", "[\"NoteId\",9]", "[{},{\"NoteId\":9}]",
	    "[true,{\"TicketId\":9,\"NoteId\":9}]"};
	char text[256];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof events / sizeof events[0]; i++) {
		snprintf(text, sizeof text,
		    "{\"EventType\":\"a\",\"Events\":%s}", events[i]);
		read_fine(text);
		assert_is(event.type, "a");
		assert_is(event.community, NULL);
		assert_is(event.ticket, NULL);
		assert_is(event.note, NULL);
	}
}

static void
the_order_of_members_and_unknown_members_do_not_matter(void **state)
{
	(void)state;
	read_fine(" { \"x\" : {\"EventType\":5,\"Events\":7} ,\n\"Events\":"
		  "[ { \"y\":[], \"Ticket\" : {\"Id\":4,\"z\":{\"Id\":5}} } ],"
		  "\"Id\":6, \"CommunityName\":\"c\",\"EventType\":\"t\"}\n");
	assert_is(event.community, "c");
	assert_is(event.type, "t");
	assert_is(event.ticket, "4");
}

static void
of_duplicate_members_the_last_one_counts(void **state)
{
	(void)state;
	read_fine("{\"EventType\":1,\"EventType\":\"a\",\"Event\\u0054ype\":"
		  "\"b\",\"Events\":[{\"NoteId\":1}],\"Events\":[{\"NoteId\":2,"
		  "\"NoteId\":3}],\"TicketId\":4,\"TicketId\":null}");
	assert_is(event.type, "b");
	assert_is(event.note, "3");
	assert_is(event.ticket, NULL);
	assert_no_envelope(
	    "{\"EventType\":\"a\",\"EventType\":1,\"Events\":[]}",
	    "EventType is not a string");
	assert_no_envelope("{\"EventType\":\"a\",\"Events\":[],\"Events\":0}",
	    "Events is not an array");
}

static void
names_may_be_sent_with_escapes(void **state)
{
	(void)state;
	read_fine(
	    "{\"\\u0045\\u0076\\u0065\\u006e\\u0074\\u0054\\u0079\\u0070"
	    "\\u0065\":\"a\",\"Event\\u0073\":[{\"\\u0054icket\":{\"I\\u0064"
	    "\":12},\"Note\\u0049d\":3}],\"Community\\u004eame\":\"c\"}");
	assert_is(event.type, "a");
	assert_is(event.community, "c");
	assert_is(event.ticket, "12");
	assert_is(event.note, "3");
	assert_no_envelope("{\"EventType\\u0000\":\"a\",\"Events\":[]}",
	    "EventType is missing");
	assert_no_envelope("{\"EventType\\u0000x\":\"a\",\"Events\":[]}",
	    "EventType is missing");
	assert_no_envelope("{\"Event\\\\u0054ype\":\"a\",\"Events\":[]}",
	    "EventType is missing");
}

static void
strings_are_decoded(void **state)
{
	(void)state;
	read_fine(
	    "{\"EventType\":\"a\\u00e9\xC3\xA9\\ud83d\\ude00\\n\\\"\\\\\\/\","
	    "\"Events\":[{\"NoteId\":\"\\t\"}],\"CommunityName\":\"\"}");
	assert_is(event.type, "a\xC3\xA9\xC3\xA9\xF0\x9F\x98\x80\n\"\\/");
	assert_is(event.note, "\t");
	assert_is(event.community, "");
	read_fine("{\"EventType\":\"\xE2\x82\xAC'/*x*/\",\"Events\":[]}");
	assert_is(event.type, "\xE2\x82\xAC'/*x*/");
}

static void
a_nul_is_shown_as_the_replacement_character(void **state)
{
	(void)state;
	read_fine(
	    "{\"EventType\":\"\\u0000a\\u0000\\u0000b\\u0000\",\"Events\":[{"
	    "\"NoteId\":\"\\u0000\"}],\"CommunityName\":\"c\\u0000d\"}");
	assert_is(event.type,
	    REPLACEMENT "a" REPLACEMENT REPLACEMENT "b" REPLACEMENT);
	assert_is(event.community, "c" REPLACEMENT "d");
	assert_is(event.note, REPLACEMENT);
}

static void
a_community_that_is_no_string_is_absent(void **state)
{
	static const struct place places[] = {
	    {"\"CommunityName\":null,\"Events\":[]", NULL},
	    {"\"CommunityName\":12,\"Events\":[]", NULL},
	    {"\"CommunityName\":{},\"Events\":[]", NULL},
	    {"\"CommunityName\":[\"c\"],\"Events\":[]", NULL},
	    {"\"CommunityName\":\"c\",\"Events\":[]", "c"},
	};

	(void)state;
	check_places(
	    places, sizeof places / sizeof places[0], &event.community);
}

static struct event_error
read_repeated(
    const char *head, const char *unit, size_t count, const char *tail)
{
	char *text = repeat_dup(head, unit, count, tail);
	struct event_error error = read_text(text);

	free(text);
	return error;
}

static void
a_type_has_at_most_256_bytes_after_decoding(void **state)
{
	static const char head[] = "{\"Events\":[],\"EventType\":\"";
	static const struct {
		const char *unit;
		size_t count;
		size_t bytes; /* 0: refused */
	} rows[] = {
	    {"a", 256, 256},
	    {"a", 257, 0},
	    {"\\u0061", 256, 256},
	    {"\\u0061", 257, 0},
	    {"\\n", 256, 256},
	    {"\\n", 257, 0},
	    {"\xC3\xA9", 128, 256},
	    {"\xC3\xA9", 129, 0},
	    {"\\u00e9", 128, 256},
	    {"\\u00e9", 129, 0},
	    {"\\ud83d\\ude00", 64, 256},
	    {"\\ud83d\\ude00", 65, 0},
	    {"\\u0000", 85, 255},
	    {"\\u0000", 86, 0},
	    {"\\u0061", 100000, 0},
	    {"a", 1000000, 0},
	};
	struct event_error error;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		error = read_repeated(head, rows[i].unit, rows[i].count, "\"}");
		if (rows[i].bytes == 0) {
			assert_int_equal(error.verdict, EVENT_NOT_ENVELOPE);
			assert_string_equal(
			    error.why, "EventType is longer than 256 bytes");
		} else {
			assert_int_equal(error.verdict, EVENT_FINE);
			assert_int_equal(strlen(event.type), rows[i].bytes);
		}
	}
}

static void
a_longer_id_or_community_counts_as_absent(void **state)
{
	static const char head[] =
	    "{\"EventType\":\"a\",\"Events\":[{\"TicketId\":5}],\"TicketId\":";
	static const char name[] =
	    "{\"EventType\":\"a\",\"Events\":[],\"CommunityName\":\"";
	static const struct {
		const char *unit;
		size_t count;
		size_t bytes;
	} rows[] = {
	    {"9", 256, 256},
	    {"9", 257, 1},
	    {"9", 900000, 1},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		read_repeated(head, rows[i].unit, rows[i].count, "}");
		assert_int_equal(strlen(event.ticket), rows[i].bytes);
	}
	read_repeated(name, "x", 256, "\"}");
	assert_int_equal(strlen(event.community), 256);
	read_repeated(name, "x", 257, "\"}");
	assert_non_null(event.type);
	assert_is(event.community, NULL);
}

/* The most memory this process has ever had, in KiB. */
static long
peak_kib(void)
{
	struct rusage usage;

	assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

/* json-c takes 218 MiB for it. */
static void
a_megabyte_of_empty_objects_is_refused_without_memory(void **state)
{
	char *text = repeat_dup("[", "{},", 349524, "{}]");
	long before = peak_kib();
	struct event_error error;

	(void)state;
	error = read_text(text);
	assert_true(peak_kib() - before < 32768);
	assert_int_equal(error.verdict, EVENT_NOT_JSON);
	assert_string_equal(error.why, "the text has more than 50,000 values");
	assert_int_equal(error.offset, 1 + 3 * 49999);
	free(text);
}

static void
many_escaped_names_are_read(void **state)
{
	char *text = repeat_dup("{\"EventType\":\"a\",\"Events\":[{",
	    "\"\\u0041\":1,", 49990, "\"NoteId\":2}]}");

	(void)state;
	assert_int_equal(read_text(text).verdict, EVENT_FINE);
	assert_is(event.note, "2");
	free(text);
}

static void
an_event_may_be_freed_twice_and_when_empty(void **state)
{
	(void)state;
	event_free(NULL);
	read_fine("{\"EventType\":\"a\",\"Events\":[]}");
	event_free(&event);
	event_free(&event);
	assert_null(event.type);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_note_deletion_of_the_vendor_is_read),
	    cmocka_unit_test(the_ticket_status_change_of_the_vendor_is_read),
	    cmocka_unit_test(
		the_missing_comma_of_the_vendor_is_named_at_its_byte),
	    cmocka_unit_test(an_envelope_needs_a_type_and_an_array_of_events),
	    cmocka_unit_test(any_number_of_events_of_any_kind_will_do),
	    cmocka_unit_test(
		the_order_of_members_and_unknown_members_do_not_matter),
	    cmocka_unit_test(of_duplicate_members_the_last_one_counts),
	    cmocka_unit_test(names_may_be_sent_with_escapes),
	    cmocka_unit_test(strings_are_decoded),
	    cmocka_unit_test(a_nul_is_shown_as_the_replacement_character),
	    cmocka_unit_test(a_community_that_is_no_string_is_absent),
	    cmocka_unit_test(a_type_has_at_most_256_bytes_after_decoding),
	    cmocka_unit_test(a_longer_id_or_community_counts_as_absent),
	    cmocka_unit_test(
		a_megabyte_of_empty_objects_is_refused_without_memory),
	    cmocka_unit_test(many_escaped_names_are_read),
	    cmocka_unit_test(an_event_may_be_freed_twice_and_when_empty),
	};

	return cmocka_run_group_tests_name("event", tests, NULL, NULL);
}
