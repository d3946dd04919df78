"""The only room that speaks SQL: tables, migrations, transactions, one function a purpose."""
