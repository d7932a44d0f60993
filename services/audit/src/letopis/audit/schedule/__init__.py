"""Reports that are issued by the calendar and put where their receivers fetch them."""
