package acme.giftcards

/** A promise of [cents], good for five years. */
data class Card(val code: String, val cents: Long)
