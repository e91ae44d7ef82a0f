package acme.loyalty

@JvmInline
value class Points(val count: Int)
