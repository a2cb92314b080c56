/*
 * Whether a body speaks of a ticket, a note or a person: where it is found,
 * in which spellings, and what is not taken for it.
 */
#include "config.h"

#include "unit.h"

#include <string.h>

#include "event/mention.h"

static enum mention_found
find(const char *text, const struct mention *what)
{
	return mention_find(text, strlen(text), what);
}

static const struct mention a_ticket = {.ticket = "4478963"};
static const struct mention a_note = {.note = "77"};
static const struct mention a_person = {.email = "jane.doe@example.org"};

static void
is_member(const struct mention *what, const char *text)
{
	if (find(text, what) != MENTION_MEMBER)
		fail_msg("not found: %s", text);
}

static void
is_text(const struct mention *what, const char *text)
{
	if (find(text, what) != MENTION_TEXT)
		fail_msg("not found by its characters: %s", text);
}

static void
is_not(const struct mention *what, const char *text)
{
	if (find(text, what) != MENTION_NOT)
		fail_msg("found: %s", text);
}

static void
a_ticket_is_found_in_the_envelope_and_in_any_element(void **state)
{
	(void)state;
	is_member(&a_ticket, "{\"TicketId\": 4478963, \"Events\": []}");
	is_member(&a_ticket, "{\"TicketId\": \"4478963\"}");
	is_member(&a_ticket, "{\"Events\": [{}, {\"TicketId\":4478963 }]}");
	is_member(&a_ticket, "{\"Events\":[{},{\"Ticket\":{\"Id\":4478963}}]}");
	is_member(&a_ticket, "{\"Ticket\":[{\"a\":1},{\"Id\":4478963}]}");
	is_member(&a_ticket,
	    "{\"TicketId\":1,\"Events\":[{\"Ticket\":{\"Id\":4478963}}]}");
	is_member(&a_ticket, "{\"TicketId\": 4478963, \"TicketId\": 1}");
}

static void
other_numbers_and_other_members_are_not_the_ticket(void **state)
{
	(void)state;
	is_not(&a_ticket, "{\"TicketId\": 44789631}");
	is_not(&a_ticket, "{\"TicketId\": 447896}");
	is_not(&a_ticket, "{\"TicketId\": 4478963.0}");
	is_not(&a_ticket, "{\"TicketId\": \"4478963 \"}");
	is_not(&a_ticket, "{\"NoteId\": 4478963}");
	is_not(&a_ticket, "{\"Id\": 4478963}");
	is_not(&a_ticket, "{\"Ticket\": {\"Author\": {\"Id\": 4478963}}}");
	is_not(&a_ticket, "{\"ticketid\": 4478963}");
	is_not(&a_ticket, "{\"Message\": \"\\\"TicketId\\\": 4478963\"}");
	is_not(&a_ticket, "[4478963]");
	is_not(&a_ticket, "4478963");
}

static void
a_note_is_found_by_its_own_members(void **state)
{
	(void)state;
	is_member(&a_note, "{\"Events\": [{\"NoteId\": 7}, {\"NoteId\": 77}]}");
	is_member(&a_note, "{\"Events\": [{\"Note\": {\"Id\": 77}}]}");
	is_not(&a_note, "{\"Events\": [{\"Ticket\": {\"Id\": 77}}]}");
}

static void
an_address_is_found_in_any_member_named_after_it(void **state)
{
	(void)state;
	is_member(&a_person, "{\"Email\": \"jane.doe@example.org\"}");
	is_member(&a_person,
	    "{\"Events\":[{\"Ticket\":{\"Author\":{\"Name\":\"Jane\","
	    "\"Email\":\"Jane.Doe@Example.ORG\"},\"LockedBy\":null}}]}");
	is_member(
	    &a_person, "{\"LockedBy\": {\"email\": \"JANE.DOE@example.org\"}}");
	is_member(&a_person, "{\"AuthorEmail\": \"jane.doe@example.org\"}");
	is_member(&a_person, "[[[{\"Email\": \"jane.doe@example.org\"}]]]");
	is_not(&a_person, "{\"Email\": \"joan.doe@example.org\"}");
	is_not(&a_person, "{\"Email\": \"x.jane.doe@example.org\"}");
	is_not(&a_person, "{\"Email\": \"jane.doe@example.org.uk\"}");
	is_not(&a_person, "{\"Email\": null, \"Emails\": 1, \"mail\": \"\"}");
	is_not(&a_person, "{\"Message\": \"to jane.doe@example.org\"}");
}

static void
escapes_hide_nothing(void **state)
{
	const struct mention wide = {.email = "j\xC3\xB6rg@\xF0\x9F\x98\x80"};

	(void)state;
	is_member(&a_person,
	    "{\"\\u0045mail\": \"\\u006aane.doe\\u0040example.org\"}");
	is_member(
	    &a_person, "{\"Email\": \"\\u004AANE.doe@example\\u002Eorg\"}");
	is_member(&a_ticket, "{\"\\u0054icketId\": \"44789\\u00363\"}");
	is_member(&wide, "{\"Email\": \"j\\u00f6rg@\\uD83D\\uDE00\"}");
	is_member(&wide, "{\"Email\": \"j\xC3\xB6rg@\xF0\x9F\x98\x80\"}");
	is_not(&wide, "{\"Email\": \"j\\u00f6rg@\\uD83D\"}");
}

static void
all_that_is_given_has_to_be_there(void **state)
{
	const struct mention both = {
	    .ticket = "4478963", .email = "jane.doe@example.org"};
	const struct mention nothing = {NULL, NULL, NULL};

	(void)state;
	is_member(&both, "{\"TicketId\":4478963,\"A\":{\"Email\":\"jane.doe@"
			 "example.org\"}}");
	is_not(&both, "{\"TicketId\":4478963}");
	is_not(&both, "{\"Email\":\"jane.doe@example.org\"}");
	is_not(&nothing, "{\"TicketId\":4478963}");
}

static void
a_text_that_is_no_json_is_searched_for_the_characters(void **state)
{
	(void)state;
	is_text(&a_ticket, "{\"TicketId\": 4478963");
	is_text(&a_ticket, "{\"TicketId\": 4478963 \"x\": 1}");
	is_text(&a_ticket, "TicketId=4478963");
	is_text(&a_ticket, "ticket 4478963");
	is_text(&a_ticket, "44789630 4478963");
	is_text(&a_ticket, "{\"TicketId\": \"\\u00344\\u00378963\"");
	is_not(&a_ticket, "{\"TicketId\": 44789630");
	is_not(&a_ticket, "{\"TicketId\": 14478963");
	is_not(&a_ticket, "x4478963");
	is_text(&a_person, "{\"Email\": \"JANE.doe@example.org\"");
	is_text(&a_person, "<p>jane.doe@example.org</p>");
	is_text(&a_person, "{\"Email\": \"jane.doe\\u0040example.org");
	is_not(&a_person, "{\"Email\": \"jane.doe\\u0040example.or");
	is_not(&a_person, "");
	is_not(&a_person, "\\");
	is_not(&a_person, "\\u004");
}

static void
an_answer_is_searched_for_the_characters_also_in_json(void **state)
{
	static const char text[] = "{\"error\":\"no jane.doe@example.org\"}";

	(void)state;
	is_not(&a_person, text);
	assert_int_equal(
	    mention_find_text(text, sizeof text - 1, &a_person), MENTION_TEXT);
	assert_int_equal(
	    mention_find_text(text, sizeof text - 1, &a_ticket), MENTION_NOT);
}

static void
bytes_of_any_value_do_no_harm(void **state)
{
	static const char text[] = "\0\\\0\\u\0jane.doe@example.org\xFF\xD8";

	(void)state;
	assert_int_equal(
	    mention_find(text, sizeof text - 1, &a_person), MENTION_TEXT);
	assert_int_equal(mention_find(text, 5, &a_person), MENTION_NOT);
}

static void
has(const char *text, const char *wanted)
{
	if (!mention_has_text(text, strlen(text), wanted))
		fail_msg("%s: not found in %s", wanted, text);
}

static void
has_not(const char *text, const char *wanted)
{
	if (mention_has_text(text, strlen(text), wanted))
		fail_msg("%s: found in %s", wanted, text);
}

static void
a_text_is_searched_as_a_person_reads_it(void **state)
{
	(void)state;
	has("{\"Text\":\"It is BROKEN\"}", "is broken");
	has("{\"Text\":\"J\\u00e5n\\nand \\u00c5sa\"}", "J\xc3\xa5n");
	has("{\"Text\":\"J\\u00e5n\\nand \\u00c5sa\"}", "\xc3\xa5SA");
	has("{\"Text\":\"J\xc3\xa5n\"}", "J\xc3\x85N");
	has("{\"Text\":\"J\\u00e5n\\nand\"}", "\xc3\xa5n\nand");
	has("{\"Url\":\"https:\\/\\/a.example\\/x\"}", "https://a.example/x");
	has("{\"Text\":\"\\ud83d\\ude00!\"}", "\xf0\x9f\x98\x80!");
	has("{\"TicketId\":4478963}", "\"TicketId\":447");
	has("{\"Text\":\"J\\u00e5n\"}", "j\\u00E5n");
	has("x", "X");
	has_not("{\"Text\":\"2\xc3\x97\"}", "2\xc3\xb7"); /* x, : */
	has_not("{\"Text\":\"Jan\"}", "J\xc3\xa5n");
	has_not("{\"Text\":\"Jan\"}", "jan2");
	has_not("{\"Text\":\"J\\u00e5n\"}", "u00e5");
	has_not("x", "");
	has_not("", "x");
	has_not("\\u00", "xxxxxx");
}

static void
a_text_has_what_stands_behind_a_nul(void **state)
{
	(void)state;
	assert_true(mention_has_text("a\0\\u0062c", 9, "BC"));
	assert_false(mention_has_text("a\0bc", 3, "bc"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		a_ticket_is_found_in_the_envelope_and_in_any_element),
	    cmocka_unit_test(
		other_numbers_and_other_members_are_not_the_ticket),
	    cmocka_unit_test(a_note_is_found_by_its_own_members),
	    cmocka_unit_test(an_address_is_found_in_any_member_named_after_it),
	    cmocka_unit_test(escapes_hide_nothing),
	    cmocka_unit_test(all_that_is_given_has_to_be_there),
	    cmocka_unit_test(
		a_text_that_is_no_json_is_searched_for_the_characters),
	    cmocka_unit_test(
		an_answer_is_searched_for_the_characters_also_in_json),
	    cmocka_unit_test(bytes_of_any_value_do_no_harm),
	    cmocka_unit_test(a_text_is_searched_as_a_person_reads_it),
	    cmocka_unit_test(a_text_has_what_stands_behind_a_nul),
	};

	return cmocka_run_group_tests_name("mention", tests, NULL, NULL);
}
