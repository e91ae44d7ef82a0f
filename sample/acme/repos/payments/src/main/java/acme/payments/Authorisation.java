package acme.payments;

/** The bank's promise that the money is there. */
public record Authorisation(String id, long cents, String currency) {}
