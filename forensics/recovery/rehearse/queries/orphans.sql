-- Which keys that rows name has no parent? And how do rows that return spell them?
SELECT DISTINCT ON ({named}) {columns}
  FROM pg_temp.named n LEFT JOIN pg_temp.back r ON {back}
 {lacking}
 ORDER BY {columns}
