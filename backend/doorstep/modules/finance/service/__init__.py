"""Use-cases of finance, the only code that writes its tables; each joins the transaction."""
