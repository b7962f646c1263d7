import { testMatrix } from './matrix.ts';

testMatrix('Apache');
