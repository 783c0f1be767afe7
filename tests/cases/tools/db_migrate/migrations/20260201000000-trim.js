const fs=require('fs');const path=require('path');
exports.setup=function(){};
exports.up=function(db){return db.runSql(fs.readFileSync(path.join(__dirname,'sqls','20260201000000-trim-up.sql'),'utf8'));};
exports.down=function(db){return db.runSql(fs.readFileSync(path.join(__dirname,'sqls','20260201000000-trim-down.sql'),'utf8'));};
exports._meta={version:1};
