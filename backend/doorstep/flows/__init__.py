"""Everything that touches two modules, and the table of reactions that says what each fact sets off."""
