package acme.ledger;

/** One line in the books. Its counterpart is always written with it. */
public record Entry(String account, long cents, String currency) {}
