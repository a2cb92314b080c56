/*
 * Units of src/event/event: where the ids of ticket, note and conversation
 * are looked for, and what is taken for one.
 */
#include "config.h"

#include "unit.h"

#include "event_unit.h"

static void
the_ticket_is_the_first_of_three_places_that_has_one(void **state)
{
	static const struct place places[] = {
	    {"\"TicketId\":1,\"Events\":[{\"TicketId\":2,\"Ticket\":{\"Id\":3}}"
	     "]",
		"1"},
	    {"\"Events\":[{\"Ticket\":{\"Id\":3},\"TicketId\":2}]", "2"},
	    {"\"Events\":[{\"Ticket\":{\"Id\":3}}]", "3"},
	    {"\"TicketId\":null,\"Events\":[{\"TicketId\":2}]", "2"},
	    {"\"TicketId\":\"\",\"Events\":[{\"TicketId\":2}]", "2"},
	    {"\"TicketId\":true,\"Events\":[{\"TicketId\":2}]", "2"},
	    {"\"TicketId\":[1],\"Events\":[{\"TicketId\":{},\"Ticket\":{\"Id\":"
	     "3}}]",
		"3"},
	    {"\"TicketId\":{\"Id\":1},\"Events\":[{\"Ticket\":[{\"Id\":3}]}]",
		NULL},
	    {"\"Events\":[{\"Ticket\":null}]", NULL},
	    {"\"Events\":[{\"Ticket\":5}]", NULL},
	    {"\"Events\":[{\"Ticket\":{\"Id\":null}}]", NULL},
	    {"\"Events\":[{},{\"TicketId\":2}]", NULL},
	    {"\"TicketId\":\"A-17\\/b\",\"Events\":[]", "A-17/b"},
	    {"\"TicketId\":\"0\",\"Events\":[]", "0"},
	};

	(void)state;
	check_places(places, sizeof places / sizeof places[0], &event.ticket);
}

static void
the_conversation_is_the_first_of_three_places_that_has_one(void **state)
{
	static const struct place places[] = {
	    {"\"ConversationId\":1,\"Events\":[{\"ConversationId\":2,"
	     "\"Conversation\":{\"Id\":3}}]",
		"2"},
	    {"\"ConversationId\":1,\"Events\":[{\"Conversation\":{\"Id\":3}}]",
		"1"},
	    {"\"Events\":[{\"Conversation\":{\"Id\":\"c3\"}}]", "c3"},
	    {"\"ConversationId\":\"\",\"Events\":[{\"ConversationId\":false,"
	     "\"Conversation\":{\"Id\":3}}]",
		"3"},
	    {"\"Conversation\":{\"Id\":1},\"Events\":[]", NULL},
	};

	(void)state;
	check_places(
	    places, sizeof places / sizeof places[0], &event.conversation);
}

static void
the_note_is_looked_for_in_the_first_event_only(void **state)
{
	static const struct place places[] = {
	    {"\"Events\":[{\"NoteId\":7},{\"NoteId\":8}]", "7"},
	    {"\"Events\":[{\"NoteId\":\"n\"}]", "n"},
	    {"\"NoteId\":7,\"Events\":[{}]", NULL},
	    {"\"Events\":[{},{\"NoteId\":8}]", NULL},
	};

	(void)state;
	check_places(places, sizeof places / sizeof places[0], &event.note);
}

static void
a_number_is_kept_as_it_was_sent(void **state)
{
	static const struct place places[] = {
	    {"\"TicketId\":18446744073709551617,\"Events\":[]",
		"18446744073709551617"},
	    {"\"TicketId\" : -0 ,\"Events\":[]", "-0"},
	    {"\"TicketId\":4478963.0\n,\"Events\":[]", "4478963.0"},
	    {"\"TicketId\":1e999999,\"Events\":[]", "1e999999"},
	    {"\"Events\":[],\"TicketId\":12", "12"},
	};

	(void)state;
	check_places(places, sizeof places / sizeof places[0], &event.ticket);
}

static void
an_unpaired_surrogate_is_shown_as_the_replacement_character(void **state)
{
	static const struct place places[] = {
	    {"\"TicketId\":\"\\ud800\",\"Events\":[]", REPLACEMENT},
	    {"\"TicketId\":\"a\\udc00b\",\"Events\":[]", "a" REPLACEMENT "b"},
	    {"\"TicketId\":\"\\ud800x\",\"Events\":[]", REPLACEMENT "x"},
	    {"\"TicketId\":\"\\ud800\\n\",\"Events\":[]", REPLACEMENT "\n"},
	    {"\"TicketId\":\"\\ud800\\u0041\",\"Events\":[]", REPLACEMENT "A"},
	    {"\"TicketId\":\"\\ud800\\ud800\",\"Events\":[]",
		REPLACEMENT REPLACEMENT},
	    {"\"TicketId\":\"\\ud800\\ud83d\\ude00\",\"Events\":[]",
		REPLACEMENT "\xF0\x9F\x98\x80"},
	};

	(void)state;
	check_places(places, sizeof places / sizeof places[0], &event.ticket);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(
		the_ticket_is_the_first_of_three_places_that_has_one),
	    cmocka_unit_test(
		the_conversation_is_the_first_of_three_places_that_has_one),
	    cmocka_unit_test(the_note_is_looked_for_in_the_first_event_only),
	    cmocka_unit_test(a_number_is_kept_as_it_was_sent),
	    cmocka_unit_test(
		an_unpaired_surrogate_is_shown_as_the_replacement_character),
	};

	return cmocka_run_group_tests_name("event ids", tests, NULL, NULL);
}
